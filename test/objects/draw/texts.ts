// Texts of the spec, drawn: names, durations, decimals, image references, each from all of what its rule allows, the edges included.
import { formatDuration, parseDuration } from '../../../operator/api/durations.ts';
import type { Chance } from '../../simulator/random.ts';

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const UPPER = LOWER.toUpperCase();

/** How a text is put together: what it may begin with, what may follow, and what it may end with. */
export interface Form {
  readonly first: string;
  readonly inner: string;
  readonly last: string;
  /** Characters, both included. */
  readonly least: number;
  readonly most: number;
}

/** A text of a form; mostly short, sometimes of one of the lengths at the edge. */
export function drawText(chance: Chance, { first, inner, last, least, most }: Form): string {
  const usual = Math.min(most, least + 12);
  const length = chance.weighted({ usual: 8, least: 1, most: 1 });
  const size = { usual: chance.integer(least, usual), least, most }[length];
  let text = size === 0 ? '' : chance.pick(Array.from(first));
  while (text.length < size - 1) text += chance.pick(Array.from(inner));
  return text.length < size ? text + chance.pick(Array.from(last)) : text;
}

const form = (first: string, inner: string, last: string, most: number, least = 1): Form => ({
  first,
  inner,
  last,
  least,
  most,
});

const NAME = LOWER + DIGITS;
/** A DNS label of at most 63 characters. */
export const dnsLabelForm = form(NAME, `${NAME}-`, NAME, 63);
/** Name of an object: labels with dots between them (RFC 1123 subdomain). */
export const objectNameForm = form(NAME, `${NAME}-`, NAME, 100);
/** Name of a component. */
export const componentForm = form(LOWER, `${NAME}-`, NAME, 20);
/** A variable of the environment. */
export const variableForm = form(
  `${LOWER}${UPPER}_`,
  `${LOWER}${UPPER}${DIGITS}_-.`,
  `${LOWER}${UPPER}${DIGITS}_`,
  128,
);
/** A key of a ConfigMap or Secret. */
export const keyForm = form(LOWER, `${NAME}-_.${UPPER}`, NAME, 253);
/** Name of a feature or environment in Unleash. */
export const featureForm = form(`${NAME}${UPPER}-._~`, `${NAME}${UPPER}-._~`, `${NAME}${UPPER}-._~`, 100);
/** Name of a field of the Unleash context. */
export const contextFieldForm = form(`${LOWER}${UPPER}`, `${NAME}${UPPER}-_`, `${NAME}${UPPER}-_`, 63);
const pathPartForm = form(`${NAME}${UPPER}-_~$`, `${NAME}${UPPER}-._~%!$&()*+,;=:@`, `${NAME}${UPPER}-_~`, 40);
const imageForm = form(`${NAME}${UPPER}`, `${NAME}${UPPER}-._`, NAME, 60);

export const drawObjectName = (chance: Chance): string =>
  Array.from({ length: chance.weighted({ one: 6, two: 1 }) === 'one' ? 1 : 2 }, () =>
    drawText(chance, objectNameForm),
  ).join('.');

/** An image with registry, folders, tag or digest. */
export function drawImage(chance: Chance): string {
  const name = drawText(chance, imageForm);
  const digest = Array.from({ length: 64 }, () => chance.pick(Array.from('0123456789abcdef'))).join('');
  switch (chance.weighted({ plain: 1, tag: 4, registry: 4, digest: 1 })) {
    case 'plain':
      return name;
    case 'tag':
      return `${name}:${chance.integer(0, 9)}.${chance.integer(0, 99)}.${chance.integer(0, 9)}`;
    case 'registry':
      return `registry.example.com:5000/${name}/${drawText(chance, imageForm)}:v${chance.integer(1, 99)}`;
    case 'digest':
      return `${name}@sha256:${digest}`;
  }
}

/** A path prefix of one to three parts, without a slash at the end. */
export const drawPath = (chance: Chance): string =>
  Array.from({ length: chance.integer(1, 3) }, () => `/${drawText(chance, pathPartForm)}`).join('');

export function drawHostname(chance: Chance): string {
  const labels = Array.from({ length: chance.integer(1, 4) }, () => drawText(chance, dnsLabelForm)).join('.');
  return chance.happens(0.2) ? `*.${labels.slice(0, 240)}` : labels.slice(0, 240).replace(/[-.]+$/, '0');
}

/** A label for people: any characters, those of several UTF-16 units too. */
export function drawLabel(chance: Chance, most: number): string {
  const signs = Array.from('abcXYZ0123456789 .-_/äß漢字🚀😀');
  const length = chance.pick([0, 1, chance.integer(1, 12), most]);
  return Array.from({ length }, () => chance.pick(signs)).join('');
}

/** A duration within limits, in one of the ways to write it. */
export function drawDuration(chance: Chance, least: string, most: string): string {
  const [from, to] = [parseDuration(least), parseDuration(most)];
  const usual = Math.min(to, Math.max(from, 60_000));
  const whole = chance.pick([1, 1000, 60_000]);
  const drawn = chance.integer(from, chance.happens(0.7) ? usual : to);
  const ms = chance.weighted({ drawn: 8, least: 1, most: 1 });
  const value = { drawn: Math.min(to, Math.max(from, Math.round(drawn / whole) * whole)), least: from, most: to }[ms];
  const seconds = value / 1000;
  if (Number.isInteger(seconds) && seconds < 999_999 && chance.happens(0.3)) return `${seconds}s`;
  if (Number.isInteger(seconds) && seconds < 99_999 && chance.happens(0.1)) return `0h0${seconds}s`;
  return formatDuration(value);
}

/** A decimal within limits, with at most six digits behind the point. */
export function drawDecimal(chance: Chance, least: number, most: number): string {
  const digits = chance.integer(0, 6);
  const value = least + chance.next() * (most - least);
  const text = value.toFixed(digits);
  const fits = Number(text) >= least && Number(text) <= most;
  return fits ? text : ((least + most) / 2).toFixed(6);
}

/** Distinct texts. */
export function drawDistinct(chance: Chance, count: number, draw: (chance: Chance) => string): string[] {
  const found = new Set<string>();
  for (let tries = 0; found.size < count && tries < count * 20; tries++) found.add(draw(chance));
  return [...found];
}

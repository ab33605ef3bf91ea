// Golden outputs: what people see in each moment. Look at the difference, then `vitest run -u` when it is meant.
import { describe, expect, test } from 'vitest';
import { answersOf, NOW, recordsOf, scenes } from '../testing/scenes.ts';
import { historyRows, renderHistory } from './history.ts';
import { renderList } from './list.ts';
import { makePaint } from './paint.ts';
import { renderSockets, socketsView } from './sockets.ts';
import { renderStatus } from './status.ts';
import { renderWhy } from './why.ts';

const file = (name: string): string => `../testdata/${name}`;
const lines = (text: readonly string[]): string => `${text.join('\n')}\n`;

describe('[R-299] what status and why say of', () => {
  test.each(scenes)('$title', async ({ title, object, pods }) => {
    const tree = renderStatus({ object, pods, now: NOW }, makePaint(false));
    await expect(lines(tree)).toMatchFileSnapshot(file(`${title}.status.txt`));
    await expect(lines(renderWhy(object, NOW))).toMatchFileSnapshot(file(`${title}.why.txt`));
  });
});

test('the list', async () => {
  const objects = scenes.map(({ object }) => object);
  await expect(lines(renderList(objects, { namespaces: true, now: NOW }))).toMatchFileSnapshot(file('list.txt'));
});

test('colours', async () => {
  const scene = scenes.find(({ title }) => title === 'canary-analysis')!;
  const tree = renderStatus({ ...scene, now: NOW }, makePaint(true));
  await expect(lines(tree)).toMatchFileSnapshot(file('canary-analysis.colours.txt'));
});

describe('what history says of', () => {
  test.each(scenes)('$title', async ({ title, object }) => {
    const table = renderHistory('support', historyRows(object, recordsOf(object)), NOW);
    await expect(lines(table)).toMatchFileSnapshot(file(`${title}.history.txt`));
  });
});

describe('what sockets says of', () => {
  test.each(scenes)('$title', async ({ title, object, pods }) => {
    const text = renderSockets(socketsView(object, answersOf(pods)), NOW, makePaint(false));
    await expect(lines(text)).toMatchFileSnapshot(file(`${title}.sockets.txt`));
  });

  test('one whose pods may not be asked', async () => {
    const { object } = scenes.find(({ title }) => title === 'aborted')!;
    const text = renderSockets(socketsView(object, null), NOW, makePaint(false));
    await expect(lines(text)).toMatchFileSnapshot(file('aborted.sockets-from-status.txt'));
  });
});

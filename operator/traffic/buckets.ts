// Buckets as regular expressions: how a gateway, which can match but not compare, tells "bucket below the weight" from the rest.
//
// Only what RE2, PCRE and ECMAScript agree on is used, and each expression is right whether a gateway searches with it (Traefik) or
// demands that it covers the whole value (Envoy). The two sides of a weight are disjoint, so no order of rules can mix them up.
import { BUCKET_HEADER } from '@assistant-platform/api';

/** Buckets are 0..99, one for each percent of weight. */
export const BUCKETS = 100;

/** Buckets `from` up to and without `to`. */
export interface BucketRange {
  readonly from: number;
  readonly to: number;
}

/** The two sides of a weight: what update takes, and what stays with stable. As the weight rises buckets change sides one way only. */
export function splitBuckets(weight: number): { readonly update: BucketRange; readonly stable: BucketRange } {
  return { update: { from: 0, to: weight }, stable: { from: weight, to: BUCKETS } };
}

/** Matches a header value that is the decimal number of a bucket in the range, and nothing else: no sign, no leading zero, no space. */
export const headerPattern = (range: BucketRange): string => `^(${numbersIn(range)})$`;

/** Matches a Cookie header in which a cookie with the bucket's name has such a value (RFC 6265 section 4.2: pairs separated by "; "). */
export const cookiePattern = (range: BucketRange): string => `^(.*; ?)?${BUCKET_HEADER}=(${numbersIn(range)})(;.*)?$`;

/** Alternatives for the decimal numbers of a range; tens that are whole together are one alternative. */
function numbersIn({ from, to }: BucketRange): string {
  const last = to - 1;
  const alternatives: string[] = [];
  for (let tens = Math.floor(from / 10); tens * 10 <= last; tens++) {
    const units = digits(Math.max(from - tens * 10, 0), Math.min(last - tens * 10, 9));
    let until = tens;
    // The first ten numbers have no tens digit and stay an alternative of their own.
    if (tens > 0) while (from <= until * 10 && until * 10 + 19 <= last) until++;
    alternatives.push(tens === 0 ? units : `${digits(tens, until)}${units}`);
    tens = until;
  }
  return alternatives.join('|');
}

const digits = (from: number, to: number): string => (from === to ? String(from) : `[${from}-${to}]`);

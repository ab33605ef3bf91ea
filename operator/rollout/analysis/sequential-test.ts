/**
 * The comparison of a new revision with the stable one, valid however often it is looked at.
 *
 * For a stream of Bernoulli trials with rate p the mixture likelihood ratio
 *
 *     M_n(p) = ∫ q^x (1−q)^(n−x) dBeta(a, b)(q) / (p^x (1−p)^(n−x)) = B(a+x, b+n−x) / (B(a, b) p^x (1−p)^(n−x))
 *
 * is a non-negative martingale with mean 1, so by Ville's inequality P(∃n: M_n(p) ≥ 1/α) ≤ α (Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon 2021,
 * "Time-uniform, nonparametric, nonasymptotic confidence sequences", section 3.2 on conjugate mixtures). Two independent streams multiply to a
 * martingale of the pair (p, s), an average of such products over several priors is one again, and the pairs that it does not refute hold the true
 * pair at every look with probability 1−α. The interval of the ratio r = p/s is the projection of that set: r belongs to it exactly when max over s of the joint likelihood at (r·s, s) is not refuted. That
 * maximum has a closed form (Miettinen and Nurminen 1985, "Comparative analysis of two rates"). The interval may be looked at whenever one likes, and the
 * verdict may end the experiment early: "always valid inference" (Johari, Pekelis, Walsh 2017).
 *
 * Values in [0, 1] instead of 0 and 1 keep the guarantee: x ↦ (q/p)^x ((1−q)/(1−p))^(1−x) is convex, so its expectation is at most that of a Bernoulli
 * trial with the same mean (Hoeffding 1963), and M_n is a supermartingale. Bounded means are therefore told as fractional events.
 *
 * Only the present counts are needed, never their history: nothing has to be remembered between two looks.
 */
import type { Evidence } from './measurement.ts';

/** Bounds of a ratio that hold at all looks together with the stated confidence. `high` is Infinity while nothing speaks against it. */
export interface RatioInterval {
  readonly low: number;
  readonly high: number;
}

/**
 * The priors are Beta(½, b), one b for each order of size that rates have: b = ½ is Jeffreys' (Krichevsky-Trofimov), good over all rates; the others
 * expect rates around 1/b. Both streams share the prior, since revisions of one service have rates of one size. Where rates are 1 % and less that saves
 * a quarter of the traffic that a verdict needs (npm run bench:analysis), where they are larger it costs nothing to speak of.
 */
const PRIOR_EVENTS = 0.5;
const PRIOR_MISSES = [0.5, 5, 50, 500];
/** Steps of a bisection: the interval is exact to far more digits than are shown. */
const BISECTIONS = 40;
/** Ratios beyond these are told as 0 and Infinity. */
const RATIO_AT_LEAST = 1e-6;
const RATIO_AT_MOST = 1e6;

/**
 * The interval of the ratio of two rates.
 * @param update counts of the new revision, stable counts of the stable one, cumulative since the analysis began.
 * @param errorProbability α, above 0 and below 1: the chance that the true ratio is outside at any look at all.
 * @throws RangeError for counts that are negative, not finite, or more events than trials.
 */
export function ratioInterval(update: Evidence, stable: Evidence, errorProbability: number): RatioInterval {
  check(update);
  check(stable);
  if (!(errorProbability > 0 && errorProbability < 1))
    throw new RangeError(`error probability ${errorProbability} is not between 0 and 1`);
  // The counts speak against a ratio when ln M of the pair that fits it best reaches ln 1/α.
  const atMost = mixture(update, stable) + Math.log(errorProbability);
  const refuted = (ratio: number): boolean => bestLikelihood(ratio, update, stable) <= atMost;
  const best = bestRatio(update, stable);
  return { low: lowEnd(best, refuted), high: highEnd(best, refuted) };
}

function check({ events, trials }: Evidence): void {
  if (!(events >= 0 && Number.isFinite(trials) && events <= trials)) {
    throw new RangeError(`${events} events in ${trials} trials: write counts with 0 <= events <= trials`);
  }
}

/** The ratio that the counts speak for most. Without trials there are no events either. */
function bestRatio(update: Evidence, stable: Evidence): number {
  if (update.events === 0) return stable.events === 0 ? 1 : RATIO_AT_LEAST;
  if (stable.events === 0) return RATIO_AT_MOST;
  const ratio = update.events / update.trials / (stable.events / stable.trials);
  return Math.min(RATIO_AT_MOST, Math.max(RATIO_AT_LEAST, ratio));
}

function lowEnd(best: number, refuted: (ratio: number) => boolean): number {
  if (best === RATIO_AT_LEAST || !refuted(RATIO_AT_LEAST)) return 0;
  return bisect(RATIO_AT_LEAST, best, refuted);
}

function highEnd(best: number, refuted: (ratio: number) => boolean): number {
  if (best === RATIO_AT_MOST || !refuted(RATIO_AT_MOST)) return Infinity;
  return bisect(RATIO_AT_MOST, best, refuted);
}

/** Between a refuted ratio and one that is not, the last refuted one: the evidence grows on both sides of the best ratio. */
function bisect(outside: number, inside: number, refuted: (ratio: number) => boolean): number {
  let [out, within] = [Math.log(outside), Math.log(inside)];
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (out + within) / 2;
    if (refuted(Math.exp(middle))) out = middle;
    else within = middle;
  }
  return Math.exp(out);
}

/** ln of the largest likelihood over all pairs with this ratio: the denominator of the smallest M. */
function bestLikelihood(ratio: number, update: Evidence, stable: Evidence): number {
  const s = mostLikelyStable(ratio, update, stable);
  return likelihood(update, ratio * s) + likelihood(stable, s);
}

/** The rate of stable that fits best when the other one is `ratio` times as high: the smaller root of a quadratic (Miettinen and Nurminen 1985, appendix). */
function mostLikelyStable(ratio: number, update: Evidence, stable: Evidence): number {
  const a = (update.trials + stable.trials) * ratio;
  const b = ratio * (update.trials + stable.events) + update.events + stable.trials;
  const c = update.events + stable.events;
  if (a === 0) return 0;
  // 2c / (b + √…) instead of (b − √…) / 2a: no cancellation when rates are tiny.
  const root = (2 * c) / (b + Math.sqrt(Math.max(0, b * b - 4 * a * c)));
  return Math.min(root, 1, 1 / ratio);
}

/** ln of the average over the priors of both integrals' product: the numerator of M. */
function mixture(update: Evidence, stable: Evidence): number {
  const logs = PRIOR_MISSES.map((misses) => integral(update, misses) + integral(stable, misses));
  const highest = Math.max(...logs);
  return highest + Math.log(logs.reduce((sum, each) => sum + Math.exp(each - highest), 0) / logs.length);
}

/** ln ∫ q^x (1−q)^(n−x) dBeta(½, b)(q). */
const integral = ({ events, trials }: Evidence, misses: number): number =>
  lnBeta(PRIOR_EVENTS + events, misses + trials - events) - lnBeta(PRIOR_EVENTS, misses);

/** x ln p + (n−x) ln(1−p), with 0·ln 0 = 0. */
function likelihood({ events, trials }: Evidence, rate: number): number {
  const hits = events === 0 ? 0 : events * Math.log(rate);
  const misses = trials - events === 0 ? 0 : (trials - events) * Math.log1p(-rate);
  return hits + misses;
}

const lnBeta = (a: number, b: number): number => lnGamma(a) + lnGamma(b) - lnGamma(a + b);

/** Lanczos' approximation with g = 7 and nine coefficients (Godfrey 2001): about 15 digits for arguments from 0.5 up. */
const LANCZOS_FIRST = 0.99999999999980993;
const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

function lnGamma(x: number): number {
  const z = x - 1;
  const t = z + 7.5;
  const series = LANCZOS.reduce((sum, coefficient, index) => sum + coefficient / (z + index + 1), LANCZOS_FIRST);
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(series);
}

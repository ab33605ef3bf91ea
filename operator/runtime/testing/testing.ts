// What tests of controllers need from this package: a clock that they move by hand.
export { ManualClock } from '../clock/manual-clock.ts';

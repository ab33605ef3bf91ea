/**
 * The decision. `plan(snapshot, now)` is pure: everything observed goes in, the writes that are due, the status to publish and the time of the next
 * look come out. It knows no API server; operator/controller observes and acts, operator/traffic speaks to gateways.
 */
export * from './names.ts';
export { plan } from './plan.ts';
export type { ChildRef, Plan, Write } from './plan-types.ts';
export type { Note } from './decide.ts';
export type { Manifest } from './objects.ts';
export { drainAnnotations, ownerReference } from './objects.ts';
export { digest, isSame } from './digest.ts';
export { isPromoted } from './history.ts';
export { readAsked, readOrder, readRestart } from './orders.ts';
export { referencesOfAll } from './references.ts';
export { isMadeOf, targetOf, type Target } from './revision.ts';
export { capacityFor, stagesOf } from './stages.ts';
export * from './release.ts';
export * from './snapshot.ts';
export * from './state.ts';
export { WAIT_REASONS, type WaitReason } from './waits.ts';

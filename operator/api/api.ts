// The custom resources of assistant-platform.io: types, names, defaults. The CRD itself comes from ./crd/definition.ts.
export * from './assistant-deployment.ts';
export * from './conditions.ts';
export { InvalidDecimalError, parseDecimal } from './decimals.ts';
export * from './defaults.ts';
export { formatDuration, InvalidDurationError, parseDuration } from './durations.ts';
export * from './group.ts';
export { cutNesting, TEMPLATE_LEVELS } from './nesting.ts';
export { OPERATOR_VARIABLES } from './schema/podParts.ts';
export { summarize, takesSteps, underWay } from './summary.ts';
export { counted } from './words.ts';

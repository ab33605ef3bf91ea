// Invalid AssistantDeployments, one mistake each, with the field that the refusal must name and the remedy it must offer.
import { autoscalingMistakes, componentMistakes } from './componentMistakes.ts';
import { mistake, type InvalidSpecimen } from './mistake.ts';
import { metricMistakes, steps, strategyMistakes } from './strategyMistakes.ts';

const metadata: readonly InvalidSpecimen[] = [
  mistake('a name with a dot', '', /without dots/, { 'metadata.name': 'support.eu' }),
  mistake('a name that begins with a digit', '', /beginning with a letter/, { 'metadata.name': '1support' }),
  mistake('a name too long for Services', '', /write shorter ones/, { 'metadata.name': 's'.repeat(50) }),
  mistake('no spec', 'spec', /Required value/, { spec: undefined }),
];

const gateway: readonly InvalidSpecimen[] = [
  mistake('no gateway', 'spec.gateway', /Required value/, { 'spec.gateway': undefined }),
  mistake('no parentRef', 'spec.gateway.parentRef', /Required value/, { 'spec.gateway': {} }),
  mistake('a Gateway name in upper case', 'spec.gateway.parentRef.name', /write lower-case letters/, {
    'spec.gateway.parentRef.name': 'Public',
  }),
  mistake('a host name with scheme', 'spec.gateway.hostnames[0]', /without scheme, port or path/, {
    'spec.gateway.hostnames': ['https://support.example.com'],
  }),
  mistake('a host name twice', 'spec.gateway.hostnames[1]', /Duplicate value/, {
    'spec.gateway.hostnames': ['a.example.com', 'a.example.com'],
  }),
];

const rest: readonly InvalidSpecimen[] = [
  mistake('a feature with a space', 'spec.flags[0].feature', /letters, digits/, {
    'spec.flags.0.feature': 'new memory',
    ...steps({ setWeight: 5 }),
  }),
  mistake('a flag without environment', 'spec.flags[0].environment', /Required value/, {
    'spec.flags.0.environment': undefined,
  }),
  mistake('a flag that follows nothing known', 'spec.flags[0].follow', /supported values: "Weight"/, {
    'spec.flags.0.follow': 'Traffic',
  }),
  mistake('an unknown kill switch', 'spec.flags[0].killSwitch', /supported values: "Abort"/, {
    'spec.flags.0.killSwitch': 'Stop',
  }),
  mistake('an availability in percent', 'spec.slo.availability', /such as "0.999" for 99.9 %/, {
    'spec.slo.availability': '99.9',
  }),
  mistake('an empty slo', 'spec.slo', /or remove slo/, { 'spec.slo': {} }),
  mistake('paused as a word', 'spec.paused', /must be of type boolean/, { 'spec.paused': 'yes' }),
  mistake('a history limit below zero', 'spec.revisionHistoryLimit', /greater than or equal to 0/, {
    'spec.revisionHistoryLimit': -1,
  }),
  mistake('a release label too long', 'spec.release', /may not be more than 63|Too long/, {
    'spec.release': 'r'.repeat(64),
  }),
];

/** All of them. */
export const invalidSpecimens: readonly InvalidSpecimen[] = [
  ...metadata,
  ...componentMistakes,
  ...autoscalingMistakes,
  ...gateway,
  ...strategyMistakes,
  ...metricMistakes,
  ...rest,
];

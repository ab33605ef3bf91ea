// A whole AssistantDeployment, drawn: valid by the schema, by every rule, and by what Kubernetes demands of the objects that are made of it.
import {
  API_VERSION,
  ASSISTANT_DEPLOYMENT,
  type AssistantDeployment,
  type AssistantDeploymentSpec,
} from '@assistant-platform/api';
import { NAME_BUDGET } from '../../../operator/api/group.ts';
import { AUTOSCALING_METRICS } from '../../../operator/api/schema/component.ts';
import type { Chance } from '../../simulator/random.ts';
import { drawFlags, drawMetrics, drawSlo } from './judgement.ts';
import { drawEnv, drawEnvFrom, drawResources, drawTemplate, maybe, type Richness } from './pods.ts';
import { drawStrategy } from './strategies.ts';
import {
  componentForm,
  dnsLabelForm,
  drawDecimal,
  drawDistinct,
  drawDuration,
  drawHostname,
  drawImage,
  drawLabel,
  drawObjectName,
  drawPath,
  drawText,
} from './texts.ts';

type Component = AssistantDeploymentSpec['components'][string];
type Autoscaling = NonNullable<Component['autoscaling']>;
type Gateway = AssistantDeploymentSpec['gateway'];

const DEFAULT_PATHS: Readonly<Record<string, string>> = { chat: '/', realtime: '/ws' };

/** Draws one. The same chance gives the same object. */
export function drawAssistant(chance: Chance): AssistantDeployment {
  const rich = chance.pick([0.1, 0.5, 0.9]);
  // Now and then everything as large as allowed: there the costs of the rules are.
  const large = chance.happens(0.01);
  const metrics = drawMetrics(chance, rich, large ? 16 : chance.pick([0, 1, 2, 3]));
  const flags = drawFlags(chance, rich, large ? 16 : chance.pick([0, 0, 1, 2]));
  const components = drawComponents(chance, rich, large);
  const longest = Math.max(...Object.keys(components).map(({ length }) => length));
  const name = drawText(chance, { ...componentForm, most: NAME_BUDGET - longest });
  const declared = { metrics: metrics.map((each) => each.name), flags: flags.map(({ feature }) => feature) };
  return {
    apiVersion: API_VERSION,
    kind: ASSISTANT_DEPLOYMENT.kind,
    metadata: { name },
    spec: {
      ...maybe(chance, rich, 'release', () => drawLabel(chance, 63)),
      components,
      gateway: drawGateway(chance, rich),
      strategy: drawStrategy(chance, rich, declared),
      ...(metrics.length > 0 || chance.happens(rich) ? { metrics } : {}),
      ...(flags.length > 0 || chance.happens(rich) ? { flags } : {}),
      ...maybe(chance, rich, 'slo', () => drawSlo(chance)),
      ...maybe(chance, rich, 'paused', () => chance.happens(0.5)),
      ...maybe(chance, rich, 'revisionHistoryLimit', () => chance.pick([0, 5, 50])),
    },
  };
}

function drawComponents(chance: Chance, rich: Richness, large: boolean): Record<string, Component> {
  const count = large ? 4 : chance.integer(1, 4);
  const known = ['chat', 'realtime'].filter(() => chance.happens(0.6));
  const others = drawDistinct(chance, 4, () => drawText(chance, componentForm)).filter(
    (name) => !name.endsWith('-preview') && !known.includes(name),
  );
  const names = [...known, ...others].slice(0, count);
  const taken = new Set<string>();
  return Object.fromEntries(
    (names.length > 0 ? names : ['chat']).map((name) => {
      const usual = DEFAULT_PATHS[name] ?? `/${name}`;
      let path = chance.happens(rich) || taken.has(usual) ? drawPath(chance) : undefined;
      while (path !== undefined && taken.has(path)) path = drawPath(chance);
      taken.add(path ?? usual);
      return [name, drawComponent(chance, rich, { name, large, ...(path === undefined ? {} : { path }) })];
    }),
  );
}

function drawComponent(
  chance: Chance,
  rich: Richness,
  { name, large, path }: { name: string; large: boolean; path?: string },
): Component {
  const port = chance.happens(rich) ? chance.pick([1, 80, 8081, 65_535, chance.integer(1, 65_535)]) : undefined;
  const adminPort = chance.happens(rich) ? chance.integer(1, 65_535) : undefined;
  const distinct = (port ?? 8080) !== (adminPort ?? 9090);
  const claims = chance.happens(rich * 0.2) ? ['device'] : [];
  return {
    image: drawImage(chance),
    ...(chance.happens(0.3)
      ? { autoscaling: drawAutoscaling(chance, rich) }
      : maybe(chance, rich, 'replicas', () => chance.pick([0, 1, 2, chance.integer(0, 12), 1000]))),
    ...(port === undefined || !distinct ? {} : { port }),
    ...(adminPort === undefined || !distinct ? {} : { adminPort }),
    ...(path === undefined ? {} : { path }),
    ...maybe(chance, rich, 'env', () => drawEnv(chance, rich, large ? 100 : 6)),
    ...maybe(chance, rich, 'envFrom', () => drawEnvFrom(chance, rich)),
    ...(claims.length > 0 || chance.happens(rich) ? { resources: drawResources(chance, rich, claims) } : {}),
    ...(claims.length > 0 || chance.happens(rich) ? { template: drawTemplate(chance, name, claims) } : {}),
  };
}

function drawAutoscaling(chance: Chance, rich: Richness): Autoscaling {
  const types = AUTOSCALING_METRICS.filter(() => chance.happens(0.4));
  const max = chance.pick([1, 4, chance.integer(1, 1000), 1000]);
  return {
    ...maybe(chance, rich, 'min', () => chance.integer(1, max)),
    max,
    metrics: (types.length > 0 ? types : [chance.pick(AUTOSCALING_METRICS)]).map((type) =>
      type === 'Prometheus'
        ? { type, query: 'sum(queue{component="{{component}}"})', target: drawDecimal(chance, 0.000_001, 999_999) }
        : { type, targetPerPod: chance.pick([1, 70, 10_000_000]) },
    ),
    ...maybe(chance, rich, 'scaleIn', () => ({
      ...maybe(chance, rich, 'drainTimeout', () => drawDuration(chance, '0s', '24h')),
      ...maybe(chance, rich, 'freezeDuringRollout', () => chance.happens(0.5)),
    })),
  };
}

const drawGateway = (chance: Chance, rich: Richness): Gateway => ({
  parentRef: {
    name: drawObjectName(chance),
    ...maybe(chance, rich, 'namespace', () => drawText(chance, dnsLabelForm)),
    ...maybe(chance, rich, 'sectionName', () => drawObjectName(chance)),
    ...maybe(chance, rich, 'port', () => chance.integer(1, 65_535)),
  },
  ...maybe(chance, rich, 'hostnames', () =>
    drawDistinct(chance, chance.pick([0, 1, 2, 16]), () => drawHostname(chance)),
  ),
});

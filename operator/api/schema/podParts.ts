// The parts of corev1.PodSpec that a component offers directly: environment and resources. Everything else goes through `template`.
import { z } from 'zod';
import { celString, listAtomic, listMap, rules } from './rules.ts';
import { characters, objectName } from './scalars.ts';

/** Variables that the operator itself sets (docs/reference/pod-contract.md). */
export const OPERATOR_VARIABLES = [
  'ASSISTANT_NAME',
  'ASSISTANT_COMPONENT',
  'ASSISTANT_REVISION',
  'ASSISTANT_RELEASE',
  'ASSISTANT_ADMIN_TOKEN_FILE',
  'ASSISTANT_DRAIN_SECONDS',
  'ASSISTANT_DRAIN_PER_SECOND',
  'PORT',
  'ADMIN_PORT',
] as const;

const key = () => characters(253, 1).describe('The key in its data.');
const optional = () =>
  z.boolean().optional().describe('When true the pod starts without it, and its data is no part of the revision.');

const configMapKey = z
  .object({
    name: objectName('the ConfigMap').describe('Name of the ConfigMap, in the same namespace.'),
    key: key(),
    optional: optional(),
  })
  .describe('A key of a ConfigMap. Its data is part of the revision: a change of it is rolled out like a new image.');
const secretKey = z
  .object({
    name: objectName('the Secret').describe('Name of the Secret, in the same namespace.'),
    key: key(),
    optional: optional(),
  })
  .describe('A key of a Secret. Its data is part of the revision: a change of it is rolled out like a new image.');

const variableSource = z
  .object({
    configMapKeyRef: configMapKey.optional(),
    secretKeyRef: secretKey.optional(),
    fieldRef: z
      .object({
        apiVersion: characters(63)
          .optional()
          .describe('Version of the schema that fieldPath speaks of; v1 by default.'),
        fieldPath: characters(253, 1).describe('Path of the field, e.g. status.podIP.'),
      })
      .optional()
      .describe('A field of the pod.'),
    resourceFieldRef: z
      .object({
        containerName: characters(63).optional().describe('Container whose resource is meant.'),
        resource: characters(63, 1).describe('The resource, e.g. limits.memory.'),
        divisor: quantity().optional().describe('Unit of the value, e.g. 1Mi; 1 by default.'),
      })
      .optional()
      .describe('A resource of the container.'),
  })
  .meta({
    description: 'Where the value comes from.',
    ...rules({
      rule: '[has(self.configMapKeyRef), has(self.secretKeyRef), has(self.fieldRef), has(self.resourceFieldRef)].filter(x, x).size() == 1',
      message:
        'a variable has one source: write exactly one of configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef',
    }),
  });

const reserved = `[${OPERATOR_VARIABLES.map(celString).join(', ')}]`;

const variable = z
  .object({
    name: characters(128, 1).meta({
      description: 'Name of the variable.',
      ...rules(
        {
          rule: `!(self in ${reserved})`,
          message:
            'the operator sets this variable: remove it here; ports are set by `port` and `adminPort`, the release by `spec.release`',
        },
        {
          rule: "self.matches('^[-._a-zA-Z][-._a-zA-Z0-9]*$')",
          message: 'write letters, digits, _, - and ., not starting with a digit, such as LOG_LEVEL',
        },
      ),
    }),
    value: characters(32_768).optional().describe('The value; $(NAME) is replaced by an earlier variable.'),
    valueFrom: variableSource.optional(),
  })
  .meta({
    description: 'An environment variable (corev1.EnvVar).',
    ...rules({
      rule: '!(has(self.value) && has(self.valueFrom))',
      message: 'write either value or valueFrom, not both',
    }),
  });

const variableSet = z
  .object({
    prefix: characters(63).optional().describe('Put before every key.'),
    configMapRef: z
      .object({ name: objectName('the ConfigMap').describe('Name of the ConfigMap.'), optional: optional() })
      .optional()
      .describe('All keys of a ConfigMap.'),
    secretRef: z
      .object({ name: objectName('the Secret').describe('Name of the Secret.'), optional: optional() })
      .optional()
      .describe('All keys of a Secret.'),
  })
  .meta({
    description: 'Variables from a whole ConfigMap or Secret (corev1.EnvFromSource). Its data is part of the revision.',
    ...rules({
      rule: 'has(self.configMapRef) != has(self.secretRef)',
      message: 'write exactly one of configMapRef, secretRef',
    }),
  });

export const env = z
  .array(variable)
  .max(100)
  .meta({ description: 'Environment variables of the container (corev1.EnvVar).', ...listMap('name') });

export const envFrom = z
  .array(variableSet)
  .max(32)
  .meta({ description: 'ConfigMaps and Secrets whose keys become variables (corev1.EnvFromSource).', ...listAtomic });

/** A resource quantity: a number, or a string such as "500m" or "128Mi". */
function quantity() {
  return z.union([z.int(), characters(32)]).meta({
    'x-kubernetes-int-or-string': true,
    maxLength: 32,
    // isQuantity alone takes a bare suffix such as "Mi", which is 0, and what is below 0, which Kubernetes refuses in a pod.
    ...rules({
      rule: "type(self) == int ? self >= 0 : (isQuantity(self) && self.matches('^[+]?[.]?[0-9]'))",
      message: 'write a quantity such as 500m, 2 or 128Mi',
    }),
  });
}

const quantities = (what: string) => z.record(z.string(), quantity()).meta({ description: what, maxProperties: 16 });

export const resources = z
  .object({
    requests: quantities('What the container is given at least, by resource.').optional(),
    limits: quantities('What the container may use at most, by resource.').optional(),
    claims: z
      .array(
        z.object({
          name: characters(63, 1).describe('A claim of the pod (spec.resourceClaims).'),
          request: characters(63).optional().describe('One request of that claim.'),
        }),
      )
      .max(16)
      .meta({ description: 'Claims of dynamic resources that the container uses.', ...listMap('name') })
      .optional(),
  })
  .describe('CPU, memory and other resources (corev1.ResourceRequirements).');

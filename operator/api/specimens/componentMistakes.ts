// Mistakes in a component and its autoscaling.
import { mistake, type InvalidSpecimen } from './mistake.ts';

export const componentMistakes: readonly InvalidSpecimen[] = [
  mistake('no components member', 'spec.components', /Required value/, { 'spec.components': undefined }),
  mistake('no component', 'spec.components', /at least 1 properties/, { 'spec.components': {} }),
  mistake('five components', 'spec.components', /at most 4|must have at most 4 items/, {
    'spec.components.a': { image: 'a' },
    'spec.components.b': { image: 'b' },
    'spec.components.c': { image: 'c' },
  }),
  mistake('a component name in upper case', 'spec.components', /write lower-case letters/, {
    'spec.components': { Chat: { image: 'a' } },
  }),
  mistake('a component name too long', 'spec.components', /at most 20 characters/, {
    'spec.components': { ['c'.repeat(21)]: { image: 'a' } },
  }),
  mistake('no image', 'spec.components.chat.image', /Required value/, { 'spec.components.chat.image': undefined }),
  mistake('an empty image', 'spec.components.chat.image', /at least 1 chars|write an image/, {
    'spec.components.chat.image': '',
  }),
  mistake('an image with a space', 'spec.components.chat.image', /write an image reference without spaces/, {
    'spec.components.chat.image': 'chat 1.1.0',
  }),
  mistake('an image of digits', 'spec.components.chat.image', /must be of type string/, {
    'spec.components.chat.image': 11,
  }),
  mistake('replicas below zero', 'spec.components.chat.replicas', /greater than or equal to 0/, {
    'spec.components.chat.replicas': -1,
  }),
  mistake('too many replicas', 'spec.components.chat.replicas', /less than or equal to 1000/, {
    'spec.components.chat.replicas': 1001,
  }),
  mistake('replicas with a fraction', 'spec.components.chat.replicas', /type integer/, {
    'spec.components.chat.replicas': 1.5,
  }),
  mistake('a port out of range', 'spec.components.chat.port', /less than or equal to 65535/, {
    'spec.components.chat.port': 70_000,
  }),
  mistake('port zero', 'spec.components.chat.port', /greater than or equal to 1/, { 'spec.components.chat.port': 0 }),
  mistake('one port for traffic and admin', 'spec.components.chat.adminPort', /write another adminPort/, {
    'spec.components.chat.port': 9090,
  }),
  mistake('a path without slash', 'spec.components.chat.path', /begins with "\/"/, {
    'spec.components.chat.path': 'chat',
  }),
  mistake('a path with a space', 'spec.components.chat.path', /has no spaces/, { 'spec.components.chat.path': '/a b' }),
  mistake('two components on one path', 'spec.components', /write another path/, {
    'spec.components.chat.path': '/ws',
  }),
  mistake('two components on one path by default', 'spec.components', /write another path/, {
    'spec.components.realtime.path': '/',
  }),
  mistake('two components on one path, one with a slash at the end', 'spec.components', /write another path/, {
    'spec.components.chat.path': '/ws/',
  }),
  mistake('a component named like the preview of another', 'spec.components', /not <other>-preview/, {
    'spec.components.chat-preview': { image: 'a' },
  }),
  mistake(
    'a resource that is a bare suffix',
    'spec.components.chat.resources.limits.memory',
    /write a quantity such as/,
    {
      'spec.components.chat.resources': { limits: { memory: 'Mi' } },
    },
  ),
  mistake('a resource below zero', 'spec.components.chat.resources.limits.memory', /write a quantity such as/, {
    'spec.components.chat.resources': { limits: { memory: '-1Mi' } },
  }),
  mistake('a variable that the operator sets', 'spec.components.chat.env[0].name', /the operator sets this variable/, {
    'spec.components.chat.env': [{ name: 'ASSISTANT_REVISION', value: 'x' }],
  }),
  mistake('the port as a variable', 'spec.components.chat.env[0].name', /ports are set by `port`/, {
    'spec.components.chat.env': [{ name: 'PORT', value: '8081' }],
  }),
  mistake('a variable without name', 'spec.components.chat.env[0].name', /Required value/, {
    'spec.components.chat.env': [{ value: 'x' }],
  }),
  mistake('a variable name with a space', 'spec.components.chat.env[0].name', /such as LOG_LEVEL/, {
    'spec.components.chat.env': [{ name: 'LOG LEVEL', value: 'x' }],
  }),
  mistake('a variable twice', 'spec.components.chat.env[1]', /Duplicate value/, {
    'spec.components.chat.env': [
      { name: 'A', value: 'x' },
      { name: 'A', value: 'y' },
    ],
  }),
  mistake('value and valueFrom', 'spec.components.chat.env[0]', /either value or valueFrom/, {
    'spec.components.chat.env': [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
  }),
  mistake('a variable from nowhere', 'spec.components.chat.env[0].valueFrom', /exactly one of configMapKeyRef/, {
    'spec.components.chat.env': [{ name: 'A', valueFrom: {} }],
  }),
  mistake(
    'a set of variables from nowhere',
    'spec.components.chat.envFrom[0]',
    /exactly one of configMapRef, secretRef/,
    {
      'spec.components.chat.envFrom': [{}],
    },
  ),
  mistake(
    'a resource that is no quantity',
    'spec.components.chat.resources.limits.memory',
    /write a quantity such as/,
    {
      'spec.components.chat.resources': { limits: { memory: 'much' } },
    },
  ),
  mistake('an unknown field', 'spec.components.chat.replica', /unknown field/, { 'spec.components.chat.replica': 2 }),
];

const scaled = { min: 1, max: 4, metrics: [{ type: 'Connections', targetPerPod: 500 }] };
export const autoscalingMistakes: readonly InvalidSpecimen[] = [
  mistake('replicas beside autoscaling', 'spec.components.chat.replicas', /remove replicas/, {
    'spec.components.chat.autoscaling': scaled,
  }),
  ...(
    [
      ['min above max', '.min', /at most max/, { ...scaled, min: 5 }],
      ['autoscaling without max', '.max', /Required value/, { metrics: scaled.metrics }],
      ['autoscaling by nothing', '.metrics', /at least 1 items/, { ...scaled, metrics: [] }],
      [
        'an unknown autoscaling metric',
        '.metrics[0].type',
        /supported values.*Connections/,
        { ...scaled, metrics: [{ type: 'Memory', targetPerPod: 1 }] },
      ],
      [
        'Connections without target',
        '.metrics[0]',
        /needs targetPerPod/,
        { ...scaled, metrics: [{ type: 'Connections' }] },
      ],
      [
        'Prometheus without query',
        '.metrics[0]',
        /needs query and target/,
        { ...scaled, metrics: [{ type: 'Prometheus', target: '1' }] },
      ],
      [
        'a drain time-out in days',
        '.scaleIn.drainTimeout',
        /write a duration such as/,
        { ...scaled, scaleIn: { drainTimeout: '1d' } },
      ],
    ] as const
  ).map(([title, field, remedy, value]) =>
    mistake(title, `spec.components.chat.autoscaling${field}`, remedy, {
      'spec.components.chat.replicas': undefined,
      'spec.components.chat.autoscaling': value,
    }),
  ),
];

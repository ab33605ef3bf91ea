import { describe, expect, it } from 'vitest';
import { referenceKey, referenceKeysOf } from './references.ts';
import type { StoredAssistantDeployment } from './resources.ts';

const subject = {
  metadata: { name: 'support', namespace: 'here' },
  spec: {
    components: {
      chat: {
        image: 'chat:1',
        envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'maybe', optional: true } }],
        template: { spec: { volumes: [{ name: 'keys', secret: { secretName: 'keys' } }] } },
      },
      realtime: { image: 'realtime:1', envFrom: [{ configMapRef: { name: 'settings' } }] },
    },
  },
} as unknown as StoredAssistantDeployment;

describe('the index of what specs refer to', () => {
  it('finds an AssistantDeployment by each ConfigMap and Secret of its namespace that it needs, once', () => {
    const keys = referenceKeysOf(subject);
    expect(keys).toEqual(['here/ConfigMap/settings', 'here/Secret/keys']);
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'here' } };
    expect(keys).toContain(referenceKey(object));
    expect(keys).not.toContain(referenceKey({ ...object, metadata: { ...object.metadata, namespace: 'there' } }));
  });
});

import { describe, expect, it } from 'vitest';
import { byVerbAndResource, isRead, isWrite, parseAuditLine, preciseTime } from './audit.ts';

const LINE = JSON.stringify({
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'Metadata',
  stage: 'ResponseComplete',
  verb: 'update',
  user: { username: 'system:serviceaccount:bench:operator' },
  objectRef: { resource: 'assistantdeployments', subresource: 'status', namespace: 'bench', name: 'one' },
  responseStatus: { code: 200 },
  requestReceivedTimestamp: '2026-11-26T07:00:00.123456Z',
  stageTimestamp: '2026-11-26T07:00:00.125Z',
});

describe('the audit log', () => {
  it('is read with its microseconds', () => {
    const request = parseAuditLine(LINE);
    expect(request).toMatchObject({ verb: 'update', resource: 'assistantdeployments/status', name: 'one', code: 200 });
    expect(request.answeredAt - request.receivedAt).toBeCloseTo(1.544, 3);
    expect(preciseTime('2026-11-26T07:00:00Z')).toBe(Date.parse('2026-11-26T07:00:00Z'));
  });

  it('is counted by verb and resource, the most first', () => {
    const update = parseAuditLine(LINE);
    const list = { ...update, verb: 'list', resource: 'pods' };
    const watch = { ...list, verb: 'watch' };
    expect(byVerbAndResource([list, update, update, watch])).toEqual([
      '2 update assistantdeployments/status',
      '1 list pods',
      '1 watch pods',
    ]);
    expect([update, list, watch].map(isWrite)).toEqual([true, false, false]);
    expect([update, list, watch].map(isRead)).toEqual([false, true, false]);
  });
});

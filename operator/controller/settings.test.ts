import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError } from './settings.ts';

describe('settings of the operator', () => {
  it('come from the environment of the chart', () => {
    const env = {
      WATCH_NAMESPACES: 'a,b',
      PORT: '8080',
      LEASE_NAME: 'op',
      LOG_LEVEL: 'debug',
      POD_NAME: 'op-1',
      POD_NAMESPACE: 'sys',
    };
    expect(readSettings([], env)).toMatchObject({
      namespaces: ['a', 'b'],
      port: 8080,
      logLevel: 'debug',
      election: { namespace: 'sys', name: 'op', identity: 'op-1' },
      settleMs: 2000,
      podAddress: null,
    });
  });

  it('have defaults: all namespaces, no election outside of a pod', () => {
    expect(readSettings([], {})).toMatchObject({ namespaces: null, election: null, port: 8080, cluster: {} });
  });

  it('are overruled by flags', () => {
    expect(
      readSettings(['--port', '1', '--settle', '300ms', '--namespaces', 'x', '--kubeconfig', 'k'], { PORT: '2' }),
    ).toMatchObject({
      port: 1,
      settleMs: 300,
      namespaces: ['x'],
      cluster: { kubeconfig: 'k' },
    });
  });

  it('that are empty are none, but for the namespaces of the flag', () => {
    const empty = { PORT: '', LOG_LEVEL: '', ROUTE_SETTLE: '', POD_ADDRESS: '', LEASE_NAME: '', POD_NAME: '' };
    expect(readSettings([], { ...empty, POD_NAMESPACE: 'sys' })).toEqual(readSettings([], { POD_NAMESPACE: 'sys' }));
    expect(readSettings(['--port', ''], { PORT: '81' })).toMatchObject({ port: 81 });
    expect(readSettings(['--namespaces', ''], { WATCH_NAMESPACES: 'a' })).toMatchObject({ namespaces: null });
  });

  it('take spaces and repetitions in the list of namespaces for what they are', () => {
    expect(readSettings([], { WATCH_NAMESPACES: 'a, b,\nb,' })).toMatchObject({ namespaces: ['a', 'b'] });
  });

  it.each([
    [['--port', 'http'], 'port: "http" is no whole number'],
    [['--port', '0x50'], 'port: "0x50" is no whole number'],
    [['--namespaces', 'Team_A'], 'namespaces: "Team_A" is no name of a namespace: write names'],
    [['--namespaces', 'a;b'], 'namespaces: "a;b" is no name'],
    [
      ['--pod-address', '10.0.0.1'],
      'pod-address: "10.0.0.1" is no address of a pod: write one such as http://{ip}:{port}',
    ],
    [['--pod-address', 'http://proxy:8080'], 'pod-address: "http://proxy:8080" is no address of a pod'],
    [['--pod-address', 'http://{host}:{port}/{pod}'], 'pod-address: "http://{host}'],
  ])('%j is refused', (args, words) => {
    expect(() => readSettings(args, {})).toThrow(words);
  });

  it('take the address of a proxy', () => {
    const address = 'https://proxy:8080/{namespace}/{pod}/{port}';
    expect(readSettings([], { POD_ADDRESS: address })).toMatchObject({ podAddress: address });
  });

  it('say everything that is wrong at once', () => {
    const read = () => readSettings(['--port', '99999', '--settle', 'soon', '--log-level', 'loud'], {});
    expect(read).toThrow(SettingsError);
    expect(read).toThrow(
      /port: 99999 is out of range; settle: "soon" is not a duration.*; log-level: loud is out of range/,
    );
    expect(() => readSettings(['--prot', '1'], {})).toThrow(/--prot/);
    // Without the credentials that an address may hold: this goes to the log.
    for (const ASSISTANT_PROMETHEUS_URL of ['me:p@ss@prometheus:9090', 'htp://me:p@ss@prometheus:9090'])
      expect(() => readSettings([], { ASSISTANT_PROMETHEUS_URL })).toThrow(
        /prometheus: "…@prometheus:9090" is no address: write one such as/,
      );
  });
});

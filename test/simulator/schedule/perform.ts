// One action of a schedule, carried out.
import { type Action, isFault, line } from './actions.ts';
import type { Run } from './schedule-world.ts';

/** Does it; only a wait takes time. */
export async function perform(action: Action, run: Run): Promise<void> {
  const { people, storm, fleet, cluster } = run;
  if (isFault(action)) run.count(action.do);
  run.note(`> ${line(action)}`);
  switch (action.do) {
    case 'wait':
      return run.pass(action.ms);
    case 'release': {
      people.release(action.version);
      return;
    }
    case 'strategy': {
      people.strategy(action.kind);
      return;
    }
    case 'replicas': {
      people.scale(action.count);
      return;
    }
    case 'pause': {
      people.pause(action.on);
      return;
    }
    case 'promote': {
      people.verb('promote', action.how);
      return;
    }
    case 'abort': {
      people.verb('abort', 'too many errors');
      return;
    }
    case 'retry': {
      people.verb('retry', '');
      return;
    }
    case 'undo': {
      people.undo();
      return;
    }
    case 'restart':
      people.restart(cluster.clock.now());
      return;
    case 'delete': {
      people.delete();
      return;
    }
    case 'create': {
      people.create();
      return;
    }
    case 'config': {
      people.configure(action.value);
      return;
    }
    case 'components': {
      people.compose(action.set);
      return;
    }
    case 'refuse': {
      storm.next({ kind: 'Refused', code: action.code }, action.times, ({ verb, writes }) =>
        action.code === 410 ? verb === 'list' || verb === 'watch' : action.code !== 409 || writes,
      );
      return;
    }
    case 'lose': {
      storm.next({ kind: action.what === 'request' ? 'RequestLost' : 'AnswerLost' }, action.times);
      return;
    }
    case 'slow': {
      storm.slow(action.ms, action.forMs);
      return;
    }
    case 'stale': {
      storm.stale(action.what, action.ms, action.forMs);
      return;
    }
    case 'dropWatches': {
      fleet.dropWatches();
      return;
    }
    case 'forgetHistory':
      cluster.server.forget();
      {
        fleet.dropWatches();
        return;
      }
    case 'replay':
      storm.replay(action.events);
      {
        fleet.dropWatches();
        return;
      }
    case 'kill':
      fleet.skew(action.skewMs);
      {
        storm.deathAt(action.writes, action.when);
        return;
      }
    case 'handOver': {
      fleet.handOver();
      return;
    }
    case 'partition': {
      storm.cutOff(fleet.leader?.identity ?? '', action.forMs);
      return;
    }
    case 'podDies':
    case 'podCrashes': {
      losePod(action, run);
      return;
    }
    case 'stall':
      cluster.gateway.stall(true);
      cluster.clock.timer(action.forMs, () => cluster.gateway.stall(false));
      return;
    case 'metricsDown':
      cluster.metrics.down = true;
      cluster.clock.timer(action.forMs, () => (cluster.metrics.down = false));
      return;
    case 'metricsSilent':
      cluster.metrics.silent = true;
      cluster.clock.timer(action.forMs, () => (cluster.metrics.silent = false));
      return;
    case 'stubborn':
      cluster.sessions.stubborn = action.on;
  }
}

function losePod(action: Extract<Action, { index: number }>, run: Run): void {
  const live = run.livePods();
  const pod = live[action.index % Math.max(1, live.length)];
  if (pod === undefined) return;
  run.weather.podLostAt = run.cluster.clock.now();
  if (action.do === 'podDies') run.cluster.kubelet.kill(pod);
  else {
    run.weather.crashedAt.set(pod.metadata.uid ?? '', run.cluster.clock.now());
    run.cluster.kubelet.crash(pod);
  }
}

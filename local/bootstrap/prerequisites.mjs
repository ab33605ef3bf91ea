// What a machine must have before the first command, and what a person is told when it has not. Pure; plain
// JavaScript without dependencies, because it runs before there are any.

/** The oldest versions that work, as [major, minor]. */
export const MINIMUM = { node: [20, 0], go: [1, 25] };

/** Commands that compile or fetch: they need Go and pip. The others read state, or stop what runs. */
const NEED_TOOLCHAIN = new Set(['start', 'test', 'demo', 'images', 'bench']);

/** Parts of `npm test` that need neither. */
const LIGHT_STAGES = new Set(['unit', 'static', 'format', 'lint', 'types', 'requirements']);

/** Whether this call will compile Go programs or fetch wheels. */
export function needsToolchain(command, args) {
  if (args.includes('--help') || args.includes('-h')) return false;
  if (command === 'test' && args.length > 0 && args.every((arg) => LIGHT_STAGES.has(arg))) return false;
  return NEED_TOOLCHAIN.has(command);
}

/** Stages of `npm test` that need root: a node of the embedded cluster, and (operator) addresses on the loopback device for the tests of the gateway. */
const ROOT_STAGES = new Set(['operator', 'e2e', 'releases']);

/** Whether this call needs root: the embedded cluster with a node, unless the person brings a cluster. */
export function needsRoot(command, args) {
  if (args.includes('--help') || args.includes('-h')) return false;
  switch (command) {
    case 'start':
      return !args.some((arg) => arg === '--context' || arg.startsWith('--context='));
    case 'test':
      return args.length === 0 || args.some((arg) => ROOT_STAGES.has(arg));
    case 'bench':
      return args[0] === 'local';
    default:
      return false;
  }
}

/** [major, minor] of the first version in a text; undefined if there is none. */
export function parseVersion(text) {
  const match = /(\d+)\.(\d+)/.exec(text ?? '');
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

const isOlder = (version, minimum) => version[0] < minimum[0] || (version[0] === minimum[0] && version[1] < minimum[1]);

/**
 * Everything that is missing, one line each; empty if nothing is.
 * @param machine what was found: platform and architecture as Node names them, versions as the programs print them
 *   (undefined when there is no such program).
 */
export function findMissing(machine, { toolchain }) {
  const missing = [];
  if (machine.platform !== 'linux' || machine.arch !== 'x64') {
    missing.push(
      `Linux on x86-64 (this is ${machine.platform} on ${machine.arch}): use a virtual machine or a container.`,
    );
  }
  if (isOlder(parseVersion(machine.node) ?? [0, 0], MINIMUM.node)) {
    missing.push(
      `Node ${MINIMUM.node[0]} or newer (this is ${machine.node}): nodejs.org/download, or your version manager.`,
    );
  }
  if (machine.npm === undefined) missing.push('npm, which comes with Node: put it in PATH.');
  if (!toolchain) return missing;
  const go = parseVersion(machine.go);
  const wanted = `Go ${MINIMUM.go.join('.')} or newer`;
  if (go === undefined) missing.push(`${wanted} (not found in PATH): go.dev/dl, or your distribution.`);
  else if (isOlder(go, MINIMUM.go)) missing.push(`${wanted} (found ${go.join('.')}): go.dev/dl, or your distribution.`);
  if (machine.pip === undefined)
    missing.push("Python's pip (not found in PATH): on Debian and Ubuntu, apt-get install python3-pip.");
  return missing;
}

/** What a person without root is told before any work begins. */
export function rootNeeded(command, args = []) {
  // sudo replaces PATH by its own, where a Go in /usr/local/go/bin or a Node of a version manager is not found.
  const sudo = 'sudo env "PATH=$PATH"';
  const why = 'The embedded cluster runs containers and sets up their network, which needs root.';
  switch (command) {
    case 'test':
      return [
        `${why} So do the stages ${[...ROOT_STAGES].join(', ')} of npm test. Two ways on:`,
        `  ${sudo} ${['npm test', ...args].join(' ')}`,
        '  npm test static unit services infra         (the stages that need no root)',
      ].join('\n');
    case 'bench':
      return [why, `  ${sudo} npm run bench:${args[0]}`].join('\n');
    default:
      return [
        `${why} Two ways on:`,
        `  ${sudo} npm start       (everything is undone by npm run stop)`,
        '  npm start -- --context NAME           (a cluster that you have: kind, k3d, minikube, a cloud)',
      ].join('\n');
  }
}

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

/** Whether this call needs root: the embedded cluster with a node, unless the person brings a cluster. */
export function needsRoot(command, args) {
  if (args.includes('--help') || args.includes('-h')) return false;
  return command === 'start' && !args.some((arg) => arg === '--context' || arg.startsWith('--context='));
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

/**
 * What a person without root is told before any work begins.
 * @param command what they typed, such as `npm start`.
 */
export function rootNeeded(command) {
  return [
    'The embedded cluster runs containers and sets up their network, which needs root. Two ways on:',
    // sudo replaces PATH by its own, where a Go in /usr/local/go/bin or a Node of a version manager is not found.
    `  sudo env "PATH=$PATH" ${command}       (everything is undone by npm run stop)`,
    `  ${command} -- --context NAME           (a cluster that you have: kind, k3d, minikube, a cloud)`,
  ].join('\n');
}

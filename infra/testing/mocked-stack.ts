/** For tests: Pulumi without an engine, which remembers every resource that a program or component registers. */
import * as pulumi from '@pulumi/pulumi';

/** A resource as it was registered, secrets unwrapped. */
export interface Registered {
  /** Type token, for example `kubernetes:core/v1:Secret`. */
  readonly type: string;
  /** Name within the stack. */
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Paths of the inputs that were secrets, for example `stringData.password`. */
  readonly secrets: readonly string[];
}

/** Everything that was registered since {@link mockStack}. */
export class MockedStack {
  readonly resources: Registered[] = [];

  /** The resources of a type, given by its last part, for example `Deployment`. */
  ofKind(kind: string): Registered[] {
    return this.resources.filter(({ type }) => type.split(':').at(-1) === kind);
  }

  /** The only resource of that name. */
  named(name: string): Registered {
    const found = this.resources.filter((resource) => resource.name === name);
    if (found.length !== 1) {
      throw new Error(
        `${found.length} resources are named ${name}; there are ${this.resources.map((each) => each.name).join(', ')}`,
      );
    }
    return found[0] as Registered;
  }

  /** Kubernetes objects: all that have metadata. */
  objects(): Registered[] {
    return this.resources.filter(
      ({ type, inputs }) => type.startsWith('kubernetes:') && inputs['metadata'] !== undefined,
    );
  }
}

/** Mark of a secret in Pulumi's wire format. */
const SIGNATURE = '4dabf18193072939515e22adb298388d';

/**
 * Puts Pulumi into test mode. Kubernetes objects come back as they were asked for; those without a name get the
 * resource's name as their name.
 *
 * @param config settings of the project, as in Pulumi.<stack>.yaml without the prefix
 */
export async function mockStack(config: Readonly<Record<string, string>> = {}): Promise<MockedStack> {
  const stack = new MockedStack();
  const project = 'assistant-platform';
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const secrets: string[] = [];
        const plain = unwrap(inputs, '', secrets) as Record<string, unknown>;
        stack.resources.push({ type, name, inputs: plain, secrets });
        const metadata = plain['metadata'] as Record<string, unknown> | undefined;
        return { id: name, state: metadata === undefined ? plain : { ...plain, metadata: { name, ...metadata } } };
      },
      call: ({ inputs }) => inputs as Record<string, unknown>,
    },
    project,
    'test',
    false,
  );
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`${project}:${key}`, value])),
  );
  return stack;
}

/** The value of an output, once it is known. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the output is not known after five seconds')), 5_000);
    output.apply((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

function unwrap(value: unknown, path: string, secrets: string[]): unknown {
  if (Array.isArray(value)) return value.map((item, index) => unwrap(item, `${path}[${index}]`, secrets));
  if (value === null || typeof value !== 'object') return value;
  const members = value as Record<string, unknown>;
  if (members[SIGNATURE] !== undefined) {
    secrets.push(path);
    return unwrap(members['value'], path, secrets);
  }
  return Object.fromEntries(
    Object.entries(members).map(([key, member]) => [
      key,
      unwrap(member, path === '' ? key : `${path}.${key}`, secrets),
    ]),
  );
}

/**
 * Makes the context fields and flags that the platform knows, in an Unleash server, where they are not there yet.
 * What is there already is left as people set it. Runs in the Unleash image; plain JavaScript without dependencies.
 *
 * Environment: UNLEASH_ADDRESS (http://host:4242), UNLEASH_ADMIN_TOKEN, FLAGS (JSON, see FlagDefinition in
 * infra/components/feature-flags.ts).
 */
const address = required('UNLEASH_ADDRESS');
const token = required('UNLEASH_ADMIN_TOKEN');
const flags = JSON.parse(required('FLAGS'));

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`environment variable ${name} is not set`);
  return value;
}

/** One request to the admin API; statuses in `expected` are answers, all others are errors. */
async function call(method, path, expected, body) {
  const response = await fetch(`${address}/api/admin${path}`, {
    method,
    headers: { authorization: token, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  if (!expected.includes(response.status)) {
    throw new Error(
      `${method} ${path} answered ${response.status}, expected ${expected.join(' or ')}: ${text.slice(0, 500)}`,
    );
  }
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

async function ensureContextField(name) {
  const found = await call('GET', `/context/${encodeURIComponent(name)}`, [200, 404]);
  if (found.status === 200) {
    if (!found.body.stickiness)
      await call('PUT', `/context/${encodeURIComponent(name)}`, [200], { ...found.body, stickiness: true });
    return;
  }
  await call('POST', '/context', [201], {
    name,
    description: 'Set by the assistant services.',
    stickiness: true,
    legalValues: [],
  });
  console.log(`context field ${name}: created`);
}

async function ensureFlag(flag) {
  const project = '/projects/default';
  const feature = `${project}/features/${encodeURIComponent(flag.name)}`;
  const found = await call('GET', feature, [200, 404]);
  if (found.status === 404) {
    await call('POST', `${project}/features`, [201], {
      name: flag.name,
      type: 'release',
      description: flag.description,
    });
  }
  const strategies = `${feature}/environments/${encodeURIComponent(flag.environment)}/strategies`;
  const existing = await call('GET', strategies, [200]);
  // Looked at on every run, so that a run that was cut short between the two writes is completed.
  if (existing.body.length === 0) {
    await call('POST', strategies, [200], {
      name: 'flexibleRollout',
      parameters: { rollout: String(flag.rollout), stickiness: flag.stickiness, groupId: flag.name },
      constraints: [],
    });
  }
  console.log(`flag ${flag.name}: ${found.status === 404 ? 'created, off' : 'there already'}`);
}

for (const field of new Set(flags.map((flag) => flag.stickiness))) {
  if (!['default', 'random', 'userId', 'sessionId'].includes(field)) await ensureContextField(field);
}
for (const flag of flags) await ensureFlag(flag);

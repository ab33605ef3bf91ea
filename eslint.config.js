// Typed lint for the whole repository, and the import directions of docs/architecture.md.
import tseslint from 'typescript-eslint';

/** Forbids imports whose specifier matches one of the patterns, with the rule of the house as message. */
const forbid = (files, group, message) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] },
});

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', '.state/**', '**/testdata/**', 'coverage/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'off',
      eqeqeq: 'error',
      'no-empty': 'error',
    },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['**/*.{js,mjs}'],
    rules: {
      eqeqeq: 'error',
      'no-empty': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-undef': 'off',
    },
  },

  // Import directions: controller -> rollout -> api; the runtime knows nothing of ours; services never see the operator.
  forbid(
    ['operator/rollout/**/*.ts'],
    [
      '@assistant-platform/*',
      '!@assistant-platform/api',
      '../*',
      '!../rollout/*',
      'node:fs*',
      'node:http*',
      'node:net',
      '@kubernetes/*',
    ],
    'operator/rollout is pure: it imports only @assistant-platform/api and its own files.',
  ),
  forbid(
    ['operator/runtime/**/*.ts'],
    ['@assistant-platform/*', '../../*', '../api/*', '../rollout/*', '../controller/*'],
    'operator/runtime knows nothing of ours, so that it could be published on its own.',
  ),
  forbid(
    ['operator/api/**/*.ts'],
    ['@assistant-platform/*', '../../*', '../runtime/*', '../rollout/*', '../controller/*', '@kubernetes/*'],
    'operator/api is the root of the arrows: it imports nothing of ours.',
  ),
  forbid(
    ['operator/cli/**/*.ts'],
    [
      '@assistant-platform/*',
      '!@assistant-platform/api',
      '!@assistant-platform/operator',
      '**/runtime/*',
      '**/controller/*',
      '**/traffic/*',
    ],
    'operator/cli imports the custom resources and the pure decision (@assistant-platform/operator/rollout): it shares nothing else with the operator.',
  ),
  forbid(
    ['services/**/*.ts'],
    ['@assistant-platform/api', '@assistant-platform/runtime', '@assistant-platform/operator', '**/operator/**'],
    'services never import the operator: the pod contract is all they share.',
  ),
  forbid(
    ['infra/**/*.ts'],
    [
      '@assistant-platform/runtime',
      '@assistant-platform/operator',
      '@assistant-platform/kit',
      '@assistant-platform/chat',
      '@assistant-platform/realtime',
      '**/services/**',
    ],
    'infra imports the types of the custom resources only.',
  ),
  // Tests may look across: they start servers and clusters.
  { files: ['**/*.test.ts', 'operator/cli/testing/**/*.ts'], rules: { 'no-restricted-imports': 'off' } },
);

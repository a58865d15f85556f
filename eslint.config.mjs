import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const TESTS = ['**/*.test.ts', '**/*.test.tsx', 'e2e/**/*.ts'];

// ESLint keeps only the last configuration of a rule for a file, so what several places restrict is put together here.
const nonNullOnlyOnIndex = {
  selector: 'TSNonNullExpression > :not(MemberExpression[computed=true]).expression',
  message:
    'Only an indexed element may be asserted to be there (values[i]!): the compiler cannot see bounds. Narrow everything else.',
};
const noAnimationFrame = {
  selector: ':matches(Identifier, MemberExpression > Identifier)[name="requestAnimationFrame"]',
  message:
    'There is one animation loop, draw/frame-loop.ts, so that work per frame has an order and a measured cost.',
};
const noTensorRead = {
  selector:
    'CallExpression > MemberExpression.callee > Identifier.property[name=/^(dataSync|arraySync|bytesSync|readSync)$/]',
  message:
    'Reading a tensor stops the engine and may alias its buffers; engines, training and probes do it and hand on copies.',
};
const noNumberText = {
  selector:
    'CallExpression > MemberExpression.callee > Identifier.property[name=/^(toFixed|toPrecision|toExponential|toLocaleString)$/]',
  message:
    'Numbers become text in src-renderer/scene/numbers.ts, which holds every one of them to a width, so that none runs into its neighbour.',
};
const noSleep = [
  {
    selector:
      ':matches(CallExpression[callee.name="setTimeout"], CallExpression[callee.property.name="waitForTimeout"])',
    message:
      'A test that sleeps is slow or flaky, mostly both: wait for the event, or for gradscope.waitForIdle().',
  },
  {
    selector: 'ImportDeclaration[source.value=/^(node:)?timers.promises$/]',
    message:
      'A test that sleeps is slow or flaky, mostly both: wait for the event, or for gradscope.waitForIdle().',
  },
];

export default defineConfig(
  {
    ignores: [
      ...['out/', 'node_modules/', '.cache/', 'test-results/', 'playwright-report/', 'bench/results/'],
      // AssemblyScript, which its own compiler checks: TypeScript knows no i32.
      'src-worker/engine/simd/assembly/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'Math',
          property: 'random',
          message:
            'Randomness is a pure function of (seed, purpose, step, layer): src-shared/tensor. Same seed, same weights.',
        },
      ],
      'no-restricted-syntax': ['error', nonNullOnlyOnIndex],
      // The rule above says where it is right: noUncheckedIndexedAccess makes every element of a typed array possibly undefined.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
    },
  },
  {
    files: ['src-shared/**', 'src-renderer/**'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['src-worker/**/*.ts'],
    ignores: ['src-worker/{engine,probe,training}/**', ...TESTS],
    rules: { 'no-restricted-syntax': ['error', nonNullOnlyOnIndex, noTensorRead] },
  },
  {
    files: ['src-renderer/**/*.{ts,tsx}'],
    extends: [reactHooks.configs.flat.recommended],
  },
  {
    files: ['src-renderer/**/*.{ts,tsx}'],
    ignores: ['src-renderer/draw/**', 'src-renderer/scene/numbers.ts', ...TESTS],
    rules: { 'no-restricted-syntax': ['error', nonNullOnlyOnIndex, noAnimationFrame, noNumberText] },
  },
  {
    files: ['src-renderer/draw/**/*.ts'],
    ignores: TESTS,
    rules: { 'no-restricted-syntax': ['error', nonNullOnlyOnIndex, noNumberText] },
  },
  {
    files: TESTS,
    rules: { 'no-restricted-syntax': ['error', nonNullOnlyOnIndex, ...noSleep] },
  },
  {
    files: ['e2e/**/*.ts'],
    // Playwright reads from a fixture's first parameter which fixtures it needs; {} says none.
    rules: { 'no-empty-pattern': 'off' },
  },
  {
    // Plain JavaScript: these run before anything is installed. tsc checks them by their JSDoc (scripts/tsconfig.json, src-node/tsconfig.json)
    // and knows better than no-undef what Node defines.
    files: ['{scripts,src-node}/**/*.mjs', '*.mjs'],
    rules: { 'no-undef': 'off' },
  },
  {
    // Measurements read the JSON of other programs and reach into the page; types would only be claims there.
    files: ['bench/**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { 'no-undef': 'off' },
  },
  {
    files: ['**/*.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { module: 'writable' } },
  },
);

import eslint from '@eslint/js';
import rxjsX from 'eslint-plugin-rxjs-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import markdown from '@eslint/markdown';
import prose from './scripts/prose.mjs';

/** The rooms of src/, ground floor first: each imports only from the ones before it. */
const ROOMS = [
  'wire',
  'operators',
  'transport',
  'connection',
  'exchange',
  'access',
  'drivers',
  'initiator',
  'doctor',
  'target',
  'diagram',
  'capture',
  'tap',
  'testing',
  'cli',
];

/** Rooms that import less than their place would let them. */
const NARROWER = {
  capture: ['wire'],
  operators: ['wire'],
  target: ['wire', 'operators', 'transport', 'connection', 'exchange', 'access', 'drivers'],
  tap: ['wire', 'operators', 'transport', 'connection', 'drivers', 'diagram', 'capture'],
};

/** What plain scripts use of Node without an import; in TypeScript the compiler knows. */
const NODE_GLOBALS = [
  'AbortController',
  'Buffer',
  'TextDecoder',
  'TextEncoder',
  'URL',
  'clearInterval',
  'clearTimeout',
  'console',
  'performance',
  'process',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
];

const NO_ENUM = {
  selector: 'TSEnumDeclaration',
  message: 'An `as const` object instead of an enum.',
};

/**
 * Texts of peers reach a terminal or a log through `printable` and `printableJson` alone: these
 * files write there and escape, and no other file does.
 */
const ESCAPING_WRITERS = [
  'src/cli/rx-amanda/environment.ts',
  'src/cli/rx-amanda/output.ts',
  'src/cli/rx-amanda/progress-line.ts',
  'src/cli/rx-amanda/tap/tap-log.ts',
  'src/cli/rx-amandad/rx-amandad.ts',
];
const NO_RAW_TEXT = [
  {
    selector:
      'CallExpression[callee.property.name="write"] > MemberExpression.callee > :matches(Identifier[name=/^std(out|err)$/], MemberExpression[property.name=/^std(out|err)$/]).object',
    message: 'Output writes to the terminal, and escapes.',
  },
  {
    selector: 'MemberExpression[object.name="process"][property.name=/^std(out|err)$/]',
    message: 'Output writes to the terminal, and escapes.',
  },
  { selector: 'CallExpression[callee.name="writeSync"]', message: 'The log writes, and escapes.' },
  {
    selector: 'Identifier[name="console"]',
    message: 'Output writes to the terminal, and escapes.',
  },
  {
    selector: ':matches(Identifier, Literal)[name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/]',
    message: 'A text becomes an element by textContent.',
  },
];
const NO_RAW_JSON = [
  {
    selector: 'MemberExpression[object.name="JSON"][property.name="stringify"]',
    message: 'printableJson escapes what a terminal obeys.',
  },
];

export default defineConfig(
  globalIgnores(['dist/', 'docs/api/', 'coverage/', 'test/fixtures/']),
  {
    // Plain words, in comments, messages and pages.
    plugins: { prose },
    rules: { 'prose/plain': 'error', 'prose/width': 'error' },
  },
  {
    files: ['src/**/*.ts', 'marbles/**/*.ts'],
    rules: { 'prose/plain': ['error', 'messages'] },
  },
  {
    files: ['**/*.md'],
    plugins: { markdown },
    language: 'markdown/gfm',
  },
  {
    files: ['**/*.{js,mjs,ts}'],
    extends: [eslint.configs.recommended],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // Control characters are what this code is about: texts from the network are made safe with
      // them.
      'no-control-regex': 'off',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, rxjsX.configs.strict],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // readonly by default, as far as a rule can see it.
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'no-restricted-syntax': ['error', NO_ENUM],

      // Messages are sentences with numbers in them.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // An observer's `error: (error: unknown) => target.error(error)` says all there is to say.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A subscriber that is called, or an await, changes what was just looked at; the rule
      // believes what the compiler narrowed before.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // `Observable<void>` and `Observable<never>` are how RxJS says "an event without a value" and
      // "only an end".
      '@typescript-eslint/no-invalid-void-type': 'off',
      // What the compiler lets pass (noUnusedParameters) the linter lets pass: a name with an
      // underscore, a property left out by a rest.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // An operator passes on the error that came, and what came is `unknown`. Literals are never
      // errors.
      'rxjs-x/throw-error': ['error', { allowThrowingAny: false, allowThrowingUnknown: true }],
      '@typescript-eslint/only-throw-error': 'off',
      'no-throw-literal': 'error',
      // Timers, signals and held states cannot error; a handler that never runs is dead code. RxJS
      // itself reports an unhandled error.
      'rxjs-x/no-ignored-error': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**'],
    rules: {
      // A library does not talk to the terminal.
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ESCAPING_WRITERS,
    rules: { 'no-restricted-syntax': ['error', NO_ENUM, ...NO_RAW_TEXT] },
  },
  {
    files: ['src/cli/**/*.ts', 'src/tap/**/*.ts', 'src/diagram/**/*.ts'],
    // JSON that a script of the page reads.
    ignores: [...ESCAPING_WRITERS, 'src/cli/web/page-feed.ts'],
    rules: { 'no-restricted-syntax': ['error', NO_ENUM, ...NO_RAW_TEXT, ...NO_RAW_JSON] },
  },
  {
    // A Connection is an Observable of frames and a Stream one of bytes: subclasses are the plain
    // way to say so.
    files: [
      'src/transport/**/*.ts',
      'src/connection/**/*.ts',
      'src/drivers/**/*.ts',
      'src/testing/**/*.ts',
    ],
    rules: { 'rxjs-x/no-subclass': 'off' },
  },
  {
    // The compliance suite is tests, though it is published.
    files: [
      'test/**/*.ts',
      'marbles/**/*.ts',
      'examples/**/*.ts',
      'bench/**/*.ts',
      'src/testing/compliance/*.ts',
    ],
    rules: {
      // Here an unexpected error or an empty source has to fail, and left alone it does: RxJS
      // reports it as unhandled, firstValueFrom rejects.
      'rxjs-x/no-ignored-error': 'off',
      'rxjs-x/no-ignored-default-value': 'off',
      // A test plays both ends: it holds the subjects that a component would hide, and drives one
      // subscription from inside another.
      'rxjs-x/no-exposed-subjects': 'off',
      'rxjs-x/no-nested-subscribe': 'off',
      'rxjs-x/no-subscribe-in-pipe': 'off',
      'rxjs-x/no-subclass': 'off',
      // Async generators without an await are sources that arrive later, and async stubs fit an
      // interface.
      '@typescript-eslint/require-await': 'off',
      // A function that a test never calls is often empty.
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    // Scripts that run before anything is built or installed.
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: Object.fromEntries(NODE_GLOBALS.map((name) => [name, 'readonly'])),
    },
  },
  ...ROOMS.map(room),
  {
    // A folder of wire may import what is beside it.
    files: ['src/wire/*/*.ts'],
    rules: wireImports('^(?!\\.{1,2}/[\\w-]+\\.js$)'),
  },
  {
    // Users load no diagrams, captures or test tools with the main entry, nor with a driver.
    files: ['src/index.ts', 'src/driver.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            forbid(
              ['diagram', 'capture', 'tap', 'testing', 'cli'],
              'This entry needs no diagrams, captures, test tools or command line.',
            ),
          ],
        },
      ],
    },
  },
);

/** The rule of one room. */
function room(name, floor) {
  const open = NARROWER[name] ?? ROOMS.slice(0, floor);
  const closed = ROOMS.filter((other) => other !== name && !open.includes(other));
  const says = `src/${name} imports only from ${open.length === 0 ? 'itself' : open.join(', ')}.`;
  const files = [`src/${name}/**/*.ts`];
  if (name === 'wire') return { files, rules: wireImports('^(?!\\./)') };
  const patterns = [
    ...(closed.length === 0 ? [] : [forbid(closed, says)]),
    {
      regex: '^(\\.\\./)+index\\.js$',
      message: 'A room does not import the main export, which imports the rooms.',
    },
  ];
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

/** The ground floor does not even know RxJS and Node. */
function wireImports(regex) {
  const message = 'src/wire imports only from itself.';
  return { 'no-restricted-imports': ['error', { patterns: [{ regex, message }] }] };
}

function forbid(rooms, message) {
  return { regex: `^\\.{1,2}/(\\.\\./)*(${rooms.join('|')})/`, message };
}

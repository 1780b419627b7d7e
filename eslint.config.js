import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What every file keeps to, typed or not. */
const everywhere = {
  'max-lines': ['error', { max: 400 }],
  'max-lines-per-function': ['error', { max: 70 }],
  'no-console': 'error',
  'no-debugger': 'error',
  'prefer-const': 'error',
  'no-var': 'error',
  eqeqeq: 'error',
};

export default defineConfig(
  globalIgnores(['dist*/', 'node_modules/', 'test/fixtures/', 'tmp/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json', './test/tsconfig.json'] },
    },
    rules: {
      ...everywhere,
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      // `() => stream.end()` as a callback is plain; what matters is that nobody uses its value.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['**/*.{js,cjs,mjs}'],
    extends: [tseslint.configs.base],
    rules: {
      ...everywhere,
      'no-undef': 'off',
      'no-unused-vars': 'error',
      'no-unreachable': 'error',
      'no-dupe-keys': 'error',
    },
  },
  {
    files: ['test/**/*.{ts,cjs,js}'],
    rules: {
      // describe() blocks are long, and their callbacks are not functions one reads as a whole.
      'max-lines-per-function': 'off',
      // A test knows what is there; where it is wrong, it fails, which is what it is for.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);

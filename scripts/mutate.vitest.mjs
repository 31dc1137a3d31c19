// What Stryker runs: the tests that mutate.mjs asks for, two at a time, which takes long.
const { include = ['test/**/*.test.ts'], exclude } = JSON.parse(process.env.RX_AMANDA_TESTS);

export default {
  test: { include: [...include, 'scripts/mutate.load.mjs'], exclude, testTimeout: 60_000 },
};

// What Stryker runs: the tests that mutate.mjs asks for.
// Two at a time they may take long.
export default { test: { testTimeout: 60_000, ...JSON.parse(process.env.RX_AMANDA_TESTS) } };

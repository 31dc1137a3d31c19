// What Stryker runs: the tests that mutate.mjs asks for.
export default { test: JSON.parse(process.env.RX_AMANDA_TESTS) };

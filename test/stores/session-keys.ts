/** Keys for tests, as the published suite makes them. */
export { keyOf } from "../../src/testing/store/keys.ts";

import { expect, test } from "vitest";
import { pathOf } from "../../src/http/request-path.ts";

test.each([
  ["/edit/7?token=secret", "/edit/7"],
  ["/edit/7#token=secret", "/edit/7"],
  ["/edit/7#?", "/edit/7"],
  ["?token=secret", ""],
  ["https://user:password@host/edit?token=secret", "/edit"],
  ["HTTP://user:password@host#token=secret", ""],
  ["/https://host/edit", "/https://host/edit"],
  ["/edit/../%0d%0a", "/edit/../%0d%0a"],
  ["*", "*"],
])("the path of %s is %s", (url, path) => {
  expect(pathOf(url)).toBe(path);
});

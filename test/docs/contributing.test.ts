import { expect, test } from "vitest";
import { services } from "../../scripts/services.mjs";
import { documentAt } from "./markdown.ts";

test("CONTRIBUTING lists the services of the tests, each with its variable", () => {
  const table = documentAt("CONTRIBUTING.md").table("Servers and browsers");
  const documented = table.map(([name = "", variable = ""]) => [name, /^`\w+`/.exec(variable)?.[0]]);
  expect(documented).toEqual(services.map(({ name, variable }) => [`\`${name}\``, `\`${variable}\``]));
});

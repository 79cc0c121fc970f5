import { afterAll, beforeAll, describe } from "vitest";
import { newPlace } from "../../support/store-address.ts";
import { describeStore } from "../conformance.ts";
import { describeProcesses } from "../describe-processes.ts";
import { describeWithPostgres, newName, openPool, postgresUrl, startPostgres } from "./tables.ts";

const traits = {
  ...{
    atomic: true,
    feed: true,
    uniqueRevisions: false,
    exactExpiry: true,
    users: true,
    tickets: true,
    notes: true,
  },
  maxIdBytes: 2600,
  damage: "JSON",
  stalls: true,
} as const;

describeWithPostgres("PostgreSQL", () => {
  describeStore("postgresStore", { ...traits, manySessions: 10_000 }, () => startPostgres());
  describeProcesses(() => ({ kind: "postgres", url: postgresUrl(), place: newPlace() }));

  describe("in a schema, with names that are hostile to the query language", () => {
    const schemaName = newName(`it's "a"; DROP TABLE x; --`);
    const quoted = `"${schemaName.replaceAll('"', '""')}"`;
    const run = async (statement: string) => {
      const { pool, end } = openPool();
      await pool.query(statement);
      await end();
    };
    beforeAll(() => run(`CREATE SCHEMA ${quoted}`));
    afterAll(() => run(`DROP SCHEMA ${quoted} CASCADE`));
    const tableName = `"a\\'b"."$1 %s é;--`;
    describeStore("postgresStore", traits, () => startPostgres({ schemaName, tableName }));
  });
});

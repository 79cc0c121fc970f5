import { readFileSync } from "node:fs";
import express, { type RequestHandler, type Router } from "express";

/** The page and its files. With a `nodeName`, the page shows which node served it. */
export function servePage(pageDir: string, nodeName: string | undefined): Router {
  const router = express.Router();
  router.use(
    "/assets",
    express.static(`${pageDir}/assets`, { immutable: true, maxAge: "1y", fallthrough: false }),
  );
  if (nodeName) router.get("/", sayWhoServes(`${pageDir}/index.html`, nodeName));
  router.use(express.static(pageDir, { maxAge: 0 }));
  return router;
}

const placeholder = '<meta name="node" content="">';

/** The environment admits only names without characters that are special in HTML. */
function sayWhoServes(path: string, nodeName: string): RequestHandler {
  const page = readFileSync(path, "utf8");
  if (!page.includes(placeholder)) throw new Error(`${path} has no ${placeholder}.`);
  const named = page.replace(placeholder, `<meta name="node" content="${nodeName}">`);
  return (_request, response) => {
    response.set("Cache-Control", "no-cache").type("html").send(named);
  };
}

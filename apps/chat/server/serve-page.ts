import { readFileSync } from "node:fs";
import express, { type RequestHandler, type Router } from "express";

/**
 * What the page reads in the `meta` elements of these names: the name of the node that serves it, the origin of its
 * sockets if that is another, and whether there is a cluster whose nodes can be stopped.
 */
type PageFacts = Readonly<Record<"node" | "sockets" | "cluster", string | undefined>>;

/** The page and its files. Without facts the page is a file like the others. */
export function servePage(pageDir: string, facts: PageFacts): Router {
  const router = express.Router();
  router.use(
    "/assets",
    express.static(`${pageDir}/assets`, { immutable: true, maxAge: "1y", fallthrough: false }),
  );
  if (Object.values(facts).some(Boolean)) router.get("/", serveWith(`${pageDir}/index.html`, facts));
  router.use(express.static(pageDir, { maxAge: 0 }));
  return router;
}

/** Neither a node's name, as the environment admits it, nor an origin has characters that are special in HTML. */
function serveWith(path: string, facts: PageFacts): RequestHandler {
  let page = readFileSync(path, "utf8");
  for (const [name, fact = ""] of Object.entries(facts)) {
    const placeholder = `<meta name="${name}" content="">`;
    if (!page.includes(placeholder)) throw new Error(`${path} has no ${placeholder}.`);
    page = page.replace(placeholder, `<meta name="${name}" content="${fact}">`);
  }
  return (_request, response) => {
    response.set("Cache-Control", "no-cache").type("html").send(page);
  };
}

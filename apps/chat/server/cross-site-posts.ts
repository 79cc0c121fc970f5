import type { Request, RequestHandler } from "express";

/**
 * Refuses posts from another site's page, with or without our visitor's cookie: logging a visitor in as another user is
 * an attack as well. Browsers say where a request comes from, and pages can't forge it: by `Sec-Fetch-Site`, or, where
 * that is missing (old browsers; plain http other than localhost), by `Origin`. A request with neither does not come
 * from a browser, so it abuses no visitor's cookie. The forms need no token.
 */
export const refuseCrossSitePosts: RequestHandler = (request, response, next) => {
  if (isSafe(request) || isFromHere(request)) return next();
  response
    .status(403)
    .type("text/plain")
    .send("This form was sent from another site. Please use the one of the chat.");
};

/** Methods that change nothing. */
function isSafe({ method }: Request): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

function isFromHere(request: Request): boolean {
  const site = request.get("sec-fetch-site");
  // "none": the visitor started it without a page, such as from a bookmark
  if (site !== undefined) return site === "same-origin" || site === "none";
  const origin = request.get("origin");
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === request.get("host");
}

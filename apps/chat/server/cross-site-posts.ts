import type { Request, RequestHandler } from "express";

/**
 * Refuses what another site's page posts here with our visitor's cookie, or without one: to log somebody in as another is
 * an attack as well. Browsers say where a request comes from, and pages can't forge it: `Sec-Fetch-Site`, and
 * where that is missing (old browsers; plain http other than localhost) `Origin`. A request with neither comes
 * from no browser, and so from nobody whose cookie could be abused. No token has to travel through the forms.
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
  // "none": the visitor did it by other means than a page, such as a bookmark
  if (site !== undefined) return site === "same-origin" || site === "none";
  const origin = request.get("origin");
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === request.get("host");
}

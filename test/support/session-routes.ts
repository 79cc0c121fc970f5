import type { Express } from "express";

/** What the tests' applications do with `req.session` alike, with this package or without. */
export function sessionRoutes(app: Express): void {
  app.post("/login", (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error);
      Object.assign(req.session, req.body);
      res.send("in");
    });
  });
  app.post("/write", (req, res) => {
    Object.assign(req.session, req.body);
    res.send("written");
  });
}

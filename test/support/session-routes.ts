import type { Express } from "express";

/** The routes on `req.session` that all test applications share, with this package or without. */
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

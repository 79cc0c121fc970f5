import { Body, Controller, Post, Redirect, Req, Res } from "@nestjs/common";
import type { Request, Response } from "express";
import { sessions } from "./sessions.js";

@Controller()
export class LoginController {
  @Post("login")
  @Redirect("/", 303)
  async login(@Req() req: Request, @Body("name") name: unknown) {
    await sessions.login(req, { name: String(name || "Anonymous"), clicks: 0 }); // check a password here
  }

  @Post("logout")
  @Redirect("/", 303)
  async logout(@Req() req: Request, @Res({ passthrough: true }) res: Response) {
    await sessions.logout(req, res);
  }
}

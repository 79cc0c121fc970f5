import { Module } from "@nestjs/common";
import { ClicksGateway } from "./clicks.gateway.js";
import { LoginController } from "./login.controller.js";

@Module({ controllers: [LoginController], providers: [ClicksGateway] })
export class AppModule {}

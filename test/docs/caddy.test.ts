/** The configuration of the guide to Caddy, run as it is before three nodes. */

import { startCaddy } from "./caddy.ts";
import { describeProxy } from "./describe-proxy.ts";

describeProxy("caddy", { start: startCaddy, spreads: "visitors" });

import { describeFaults } from "./describe-faults.ts";
import { redis } from "./networked-stores.ts";

describeFaults(redis);

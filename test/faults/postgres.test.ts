import { describeFaults } from "./describe-faults.ts";
import { postgres } from "./networked-stores.ts";

describeFaults(postgres);

/** The clients of one sample, in a fresh process. */
import { variantNamed } from "../scenarios/all.ts";
import type { Case } from "../scenarios/scenario.ts";
import { type SampleOptions, takeSample } from "./sample.ts";
import { answerTo, argumentOf } from "./worker.ts";

export interface SampleSetting extends Case, SampleOptions {
  readonly scenario: string;
  readonly variant: string;
}

const { scenario, variant, ...rest } = argumentOf<SampleSetting>();

const answers = { measure: () => takeSample(variantNamed(scenario, variant), rest, rest) };
export type SampleAnswers = typeof answers;

answerTo(answers);

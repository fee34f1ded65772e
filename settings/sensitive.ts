import * as pulumi from "@pulumi/pulumi";

/** Stands for the value of an encrypted setting where a stack file is read without the key. Nobody can type it. */
export const ENCRYPTED = "\u0000encrypted";

/** A setting that must never be shown: printing, concatenating or serialising it gives a placeholder. */
export class Sensitive {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value as a secret Output; the only way to it. */
  reveal(): pulumi.Output<string> {
    return pulumi.secret(this.#value);
  }

  /**
   * Asks a question about the value.
   * @returns undefined if the value is not known here, as it is encrypted
   */
  ask<Answer extends boolean | string | undefined>(question: (value: string) => Answer): Answer | undefined {
    return this.#value === ENCRYPTED ? undefined : question(this.#value);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }
}

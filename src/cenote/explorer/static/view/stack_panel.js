// A stack of layers, written in a line: shapes, receptive field, jump, and what each layer costs.

import { parseLayers } from "../engine/notation.js";
import { walk } from "../engine/shapes.js";
import { RuleError } from "../engine/windows.js";
import { field, on, put, row, times } from "./dom.js";

/** @returns {import("./app.js").Panel} */
export function stackPanel() {
  const [input, layers, channels] = ["stack-input", "stack-layers", "stack-channels"].map(field);
  let own = false;
  for (const each of [input, layers, channels]) {
    on(each, "input", () => {
      own ||= each === input;
      draw();
    });
  }

  /** A slip leaves the last good table. */
  function draw() {
    try {
      const lengths = read(input.value);
      const steps = walk(
        lengths,
        Math.max(1, Math.floor(Number(channels.value)) || 1),
        parseLayers(layers.value, lengths.length),
      );
      put("stack-problem");
      put("stack-steps", ...steps.map((step) => row(cells(step))));
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      put("stack-problem", error.message);
    }
  }
  return {
    update({ state: { shape } }) {
      // An example of a few cells has no room for a stack: the tutorials' 28 stands in.
      if (!own) input.value = shape.map((length) => (Math.min(...shape) > 9 ? length : 28)).join("x");
      draw();
    },
  };
}

/** Lengths as in 28x28. @param {string} text */
function read(text) {
  const lengths = text.trim().split("x").map(Number);
  if (lengths.length > 3 || !lengths.every((n) => Number.isInteger(n) && n > 0)) {
    throw new RuleError("input", `the input is one to three lengths, as 28x28, got ${text}`);
  }
  return lengths;
}

/** As the head of the table names them. @param {import("../engine/shapes.js").Step} step */
function cells({ name, output, channels, arithmetic, receptive, jump, parameters, multiplyAdds, bytes }) {
  const by = (/** @type {(number | null)[]} */ numbers) => {
    const words = numbers.map((n) => String(n ?? "uneven"));
    return new Set(words).size === 1 ? words[0] : times(words);
  };
  const counts = [parameters, multiplyAdds, bytes].map((n) => n.toLocaleString("en"));
  return [name, times([...output, channels]), [...new Set(arithmetic)].join("; "), by(receptive), by(jump), ...counts];
}

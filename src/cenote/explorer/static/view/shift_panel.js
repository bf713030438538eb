// A slider moves the input: what of each pooling's result stays, and what changes.

import { compared, moved } from "../engine/shift.js";
import { plainBoard } from "./board.js";
import { scaleOf } from "./colour.js";
import { field, h, on, put, the } from "./dom.js";
import { grid, side } from "./grid.js";

/** @type {Record<string, string>} */
const WORDS = { max: "maximum", avg: "average", strided: "first cell of the window" };

/** @param {import("./app.js").Page} page @returns {import("./app.js").Panel} */
export function shiftPanel(page) {
  const [down, right, border] = ["shift-down", "shift-right", "shift-border"].map(field);
  for (const input of [down, right, border]) on(input, "input", () => update(page.view()));

  /** @param {import("./app.js").View} view */
  function update({ asked, answer }) {
    const { shape, values } = asked;
    the("shift-down-field").hidden = shape.length === 1;
    const by = [0, Number(down.value), Number(right.value)].slice(-shape.length);
    const how = /** @type {"circular" | "zero" | "edge"} */ (border.value);
    const found = compared(asked, by, how);
    const scale = scaleOf(values);
    const percent = (/** @type {number} */ share) => `${Math.round(100 * share)} %`;

    /** @param {string} id @param {string} title @param {Float64Array} map @param {number[]} lengths @param {Float64Array} before @param {string} said */
    const figure = (id, title, map, lengths, before, said) => {
      const board = plainBoard(map, lengths);
      const drawn = grid(board, {
        id: `shift-${id}-grid`,
        label: `${title}${said}`,
        scale,
        cell: Math.min(30, side(board, 220)),
      });
      const changed = board.squares.filter(({ flat, value }) => flat !== null && !Object.is(value, before[flat]));
      drawn.mark(new Map(changed.map(({ row, column }) => [`${row},${column}`, "in-window"])));
      return h("figure", {}, h("figcaption", {}, title), drawn.element, said && h("p", { class: "note" }, said.slice(2)));
    };
    const input = moved(values, shape, by, how);
    put(
      "shifts",
      figure("input", `input, ${told(by)}`, input, shape, input, ""),
      ...found.map(({ op, before, after, same, change }) => {
        const said = `, ${percent(same)} of outputs stay, change ${Number.isFinite(change) ? percent(change) : "from nothing"}`;
        return figure(op, WORDS[op], after, answer.shape, before, said);
      }),
    );
    put(
      "shift-said",
      by.some(Boolean)
        ? `Moved ${told(by)}: ${found.map(({ op, same }) => `${WORDS[op]} ${percent(same)}`).join(", ")} of outputs as before.`
        : "Not moved yet.",
    );
  }
  return { update };
}

/** @param {number[]} by */
function told(by) {
  const [down, right] = [0, ...by].slice(-2);
  const parts = [
    down && `${Math.abs(down)} ${down > 0 ? "down" : "up"}`,
    right && `${Math.abs(right)} ${right > 0 ? "right" : "left"}`,
  ];
  return parts.filter(Boolean).join(" and ") || "not moved";
}

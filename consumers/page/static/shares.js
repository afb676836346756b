// Shares over time: one line a segment, also told apart by its dashes and by the label at its end.

import uPlot from "./vendor/uPlot.esm.js";
import { colour, eventTime, clock, percent, say, table, whenChanged } from "./dom.js";
import { movedBy } from "./segments.js";

const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const MOST = 600;
const HEIGHT = 190;
const ALONE = 30;
const SHOWN = 12;

export class Shares {
  constructor(host) {
    this.host = host;
    this.chart = host.querySelector(".chart");
    this.points = [];
    this.drawTable = whenChanged((rows, heads) => {
      host.querySelector(".twin > div").replaceChildren(table({ text: "Shares over time", hidden: true }, heads, rows, heads.map((_, i) => i).slice(1)));
    });
    new ResizeObserver(() => this.plot?.setSize({ width: this.chart.clientWidth, height: HEIGHT })).observe(this.chart);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
  }

  async fetchHistory() {
    const answer = await fetch("/api/history").catch(() => null);
    if (!answer?.ok) return;
    this.points = (await answer.json()).points;
    this.rebuild();
  }

  add({ point, segments, replay, mix }) {
    if (!point) return;
    this.names = Object.fromEntries(segments.map((s) => [s.id, s.name]));
    const last = this.points.at(-1);
    if (!last || point.wall > last.wall) this.points.push(point);
    if (this.points.length > MOST) this.points = this.points.filter((_, i) => i % 2 === 0);
    const ids = segments.map((s) => s.id).join();
    if (ids !== this.ids || replay !== this.isReplay || !this.plot) {
      [this.ids, this.isReplay] = [ids, replay];
      this.rebuild();
    } else this.plot.setData(this.data());
    this.tell(mix, segments);
  }

  tell(mix, segments) {
    const moved = segments.map((s) => ({ id: s.id, by: movedBy(mix, s.id) }));
    const most = moved.sort((a, b) => Math.abs(b.by) - Math.abs(a.by))[0];
    const isSame = !most || Math.abs(most.by) < 0.005;
    say(this.host.querySelector(".takeaway"), !mix ? "which mix is usual is not known yet"
      : isSame ? "no share is half a point from the usual mix"
      : `farthest from the usual mix: ${most.id}, ${most.by > 0 ? "+" : "−"}${Math.abs(100 * most.by).toFixed(1)} points`);
    const every = Math.max(1, Math.floor(this.points.length / SHOWN));
    const rows = this.points.filter((_, i) => i % every === 0).reverse().slice(0, SHOWN);
    const heads = ["time", ...segments.map((s) => s.id)];
    this.drawTable(rows.map((p) => [this.isReplay ? eventTime(p.event) : clock(p.wall), ...segments.map((s) => percent(share(p, s.id)))]), heads);
  }

  data() {
    const ids = this.ids.split(",");
    const x = this.points.map((p) => (this.isReplay ? p.event : p.wall) / 1000);
    const order = x.map((_, i) => i).filter((i) => i === 0 || x[i] > x[i - 1]);
    return [order.map((i) => x[i]), ...ids.map((id) => order.map((i) => (id in this.points[i].counts ? 100 * share(this.points[i], id) : null)))];
  }

  rebuild() {
    if (!this.ids) return;
    this.plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const paint = (name) => style.getPropertyValue(name).trim();
    const ids = this.ids.split(",");
    const axis = { stroke: paint("--quiet"), grid: { stroke: paint("--line"), width: 1 }, ticks: { stroke: paint("--line") }, font: "12px system-ui, sans-serif" };
    this.plot = new uPlot({
      width: this.chart.clientWidth || 600, height: HEIGHT, legend: { show: false }, cursor: { show: false }, padding: [8, 30, 0, 0],
      tzDate: (ts) => (this.isReplay ? uPlot.tzDate(new Date(ts * 1000), "Etc/UTC") : new Date(ts * 1000)),
      scales: { x: { range: (_, from, to) => (from === to ? [from - ALONE, to + ALONE] : [from, to]) }, y: { range: (_, __, most) => [0, Math.max(10, Math.ceil(most / 10) * 10)] } },
      axes: [axis, { ...axis, size: 46, values: (_, ticks) => ticks.map((t) => `${t} %`) }],
      series: [{}, ...ids.map((id) => ({
        stroke: paint(`--${colour(id)}`), width: 2, points: { show: false }, spanGaps: true,
        dash: DASHES[(Number(id.slice(1)) || 0) % DASHES.length],
      }))],
      hooks: { draw: [(u) => labels(u, ids, paint)] },
    }, this.data(), this.chart);
  }
}

function share(point, id) {
  const everybody = Object.entries(point.counts).reduce((sum, [place, n]) => sum + (/^s\d+$/.test(place) ? n : 0), 0);
  return everybody ? (point.counts[id] ?? 0) / everybody : 0;
}

/** The id at the end of each line, pushed apart where two would cover each other. */
function labels(u, ids, paint) {
  const ratio = devicePixelRatio;
  const ends = ids.map((id, i) => ({ id, y: u.data[i + 1].findLast((value) => value !== null) }))
    .filter((end) => end.y !== undefined)
    .map((end) => ({ ...end, at: u.valToPos(end.y, "y", true) }))
    .sort((a, b) => a.at - b.at);
  ends.forEach((end, i) => { if (i) end.at = Math.max(end.at, ends[i - 1].at + 13 * ratio); });
  u.ctx.save();
  u.ctx.font = `bold ${12 * ratio}px system-ui, sans-serif`;
  u.ctx.textAlign = "left";
  u.ctx.textBaseline = "middle";
  for (const end of ends) {
    u.ctx.fillStyle = paint(`--${colour(end.id)}`);
    u.ctx.fillText(end.id, u.bbox.left + u.bbox.width + 6 * ratio, end.at);
  }
  u.ctx.restore();
}

// One chart of a series: uPlot in the colours of the page, with limits, marks of the event and the site's time.
(function () {
  "use strict";

  const FEW_POINTS = 60; // so few are shown as dots as well
  const NEAR_PX = 30; // what the pointer speaks of

  if (!window.uPlot) return;
  const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  function make(tag, kind, text) {
    const made = document.createElement(tag);
    made.className = kind;
    made.textContent = text;
    return made;
  }

  // Fills the box with what /incident/…/series/… said; gives the plot, null where there is nothing to draw.
  // `words` has the site's time zone and what is said below the chart.
  function drawChart(box, data, words) {
    box.replaceChildren();
    let plot = null;
    if (data.times.length) {
      const place = make("div", "plot", "");
      const readout = make("p", "readout figure small", "");
      place.append(readout);
      box.append(place);
      plot = new window.uPlot(optionsOf(data, box, readout, words.timezone), columnsOf(data), place);
      const canvas = place.querySelector("canvas");
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", data.words);
    } else if (unknownUntil(data) < data.to) {
      box.append(make("p", "chart-note soft small", words.chartEmpty));
    }
    box.append(...footer(data, words));
    return plot;
  }

  // Before this values may be missing; 0 where none are.
  function unknownUntil(data) {
    return data.whole_from !== null && data.whole_from > data.from ? data.whole_from : 0;
  }

  function columnsOf(data) {
    return [data.times, data[data.line], data.most, data.least];
  }

  function footer(data, words) {
    const lines = [];
    if (data.limits.length) {
      const beyond = (one) => data.times.length && !isShown(data, one);
      const said = data.limits.map((one) => one.words + (beyond(one) ? " (" + words.chartOutside + ")" : ""));
      lines.push(make("p", "small soft", words.chartLimits + ": " + said.join(" · ")));
    }
    if (data.doubtful) lines.push(make("p", "small doubtful", words.chartDoubtful + " " + data.doubtful));
    const missing = unknownUntil(data);
    if (missing === data.to) lines.push(make("p", "values-note small", words.chartLacks));
    else if (missing) lines.push(make("p", "values-note small", words.chartLacksBefore + " " + moment(missing, words.timezone)));
    return lines;
  }

  // Limits far away from all values would make a flat line of the chart; those of the incident's own rules are
  // always shown.
  function reachOf(data) {
    let low = Infinity;
    let high = -Infinity;
    for (const one of data.least) if (one !== null) low = Math.min(low, one);
    for (const one of data.most) if (one !== null) high = Math.max(high, one);
    if (low > high) low = high = 0;
    const spread = Math.max(high - low, 0.25 * Math.max(Math.abs(low), Math.abs(high)));
    return { low, high, spread };
  }

  function isShown(data, limit) {
    const { low, high, spread } = reachOf(data);
    return limit.raised || (limit.value >= low - 1.5 * spread && limit.value <= high + 1.5 * spread);
  }

  function rangeOf(data) {
    if (data.is_flag) return [-0.15, 1.15];
    let { low, high } = reachOf(data);
    for (const limit of data.limits) {
      if (!isShown(data, limit)) continue;
      low = Math.min(low, limit.value);
      high = Math.max(high, limit.value);
    }
    const pad = (high - low || Math.abs(high) || 1) * 0.08;
    return [low >= 0 && low - pad < 0 ? 0 : low - pad, high + pad];
  }

  function optionsOf(data, box, readout, timeZone) {
    const size = rem();
    const font = Math.round(size * 0.78) + "px " + getComputedStyle(document.body).fontFamily;
    const soft = colour("soft");
    const grid = { stroke: colour("line"), width: 1 };
    const line = colour("link");
    const axis = { stroke: soft, grid, ticks: grid, font };
    const paths = data.is_flag ? window.uPlot.paths.stepped({ align: 1 }) : window.uPlot.paths.linear();
    const edge = { stroke: line + "00", width: 0, points: { show: false }, paths };
    return {
      width: Math.max(box.clientWidth, 200),
      height: Math.round(size * (data.is_flag ? 7 : 12)),
      padding: [Math.round(size * 1.3), Math.round(size * 0.6), 0, 0],
      tzDate: (at) => window.uPlot.tzDate(new Date(at * 1000), timeZone),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: true, range: [data.from, data.to] }, y: { range: rangeOf(data) } },
      axes: [
        { ...axis, size: Math.round(size * 3.1), space: size * 5, values: (_, splits, __, ___, step) => times(splits, step, timeZone) },
        { ...axis, ...valueAxis(data, size) },
      ],
      series: [{}, { stroke: line, width: 2, paths, points: dots(data, line) }, edge, edge],
      bands: data.is_flag ? [] : [{ series: [2, 3], fill: line + "40" }],
      hooks: {
        drawClear: [(plot) => shadeMissing(plot, data)],
        draw: [(plot) => drawLimits(plot, data), (plot) => drawMarks(plot, data)],
        setCursor: [(plot) => tell(plot, data, readout, timeZone)],
      },
    };
  }

  function valueAxis(data, size) {
    const label = (one) => (data.is_flag ? data.states[one] : (Number(one.toFixed(6)) + " " + data.unit).trim());
    const widest = (all_) => Math.max(4, ...(all_ || []).map((one) => [...one].reduce((n, c) => n + (c > "\u2e80" ? 1.7 : 1), 0)));
    return {
      space: size * 1.4,
      values: (_, splits) => splits.map(label),
      size: (_, labels) => Math.round(widest(labels) * size * 0.5 + size),
      ...(data.is_flag ? { splits: [0, 1] } : {}),
    };
  }

  // Dots where there are few points, and where one stands alone between silences.
  function dots(data, stroke) {
    const row = data[data.line];
    const there = row.flatMap((one, place) => (one === null ? [] : [place]));
    const alone = (place) => (row[place - 1] ?? null) === null && (row[place + 1] ?? null) === null;
    const which = there.length <= FEW_POINTS ? there : there.filter(alone);
    return { show: which.length > 0, size: 5, stroke, fill: stroke, filter: () => which };
  }

  // Times in the site's time zone.

  function parts(at, timeZone) {
    const zoned = window.uPlot.tzDate(new Date(at * 1000), timeZone);
    const two = (n) => String(n).padStart(2, "0");
    const clock = two(zoned.getHours()) + ":" + two(zoned.getMinutes());
    return { day: two(zoned.getMonth() + 1) + "-" + two(zoned.getDate()), clock, second: two(zoned.getSeconds()) };
  }

  function times(splits, step, timeZone) {
    let before = "";
    return splits.map((at) => {
      const { day, clock, second } = parts(at, timeZone);
      const dated = day === before ? "" : "\n" + day;
      before = day;
      if (step >= 86400) return day;
      return clock + (step < 60 ? ":" + second : "") + dated;
    });
  }

  function moment(at, timeZone) {
    const { day, clock, second } = parts(at, timeZone);
    return day + " " + clock + ":" + second;
  }

  function tell(plot, data, readout, timeZone) {
    const place = plot.cursor.idx;
    const value = (place ?? null) === null ? null : data[data.line][place];
    const there = (value ?? null) !== null && Math.abs(plot.valToPos(data.times[place], "x") - plot.cursor.left) < NEAR_PX;
    if (!there) {
      readout.textContent = "";
      return;
    }
    const number = (one) => Number(one.toFixed(2));
    const { least, most } = data;
    const between = most[place] > least[place] ? " (" + number(least[place]) + " … " + number(most[place]) + ")" : "";
    const said = data.is_flag && data.states[value] ? data.states[value] : number(value) + between + " " + data.unit;
    readout.textContent = moment(data.times[place], timeZone) + "  " + said;
  }

  // What is drawn across the chart.

  function pen(plot, paint) {
    const { ctx } = plot;
    ctx.save();
    ctx.font = Math.round(rem() * 0.78 * window.uPlot.pxRatio) + "px " + getComputedStyle(document.body).fontFamily;
    ctx.textBaseline = "bottom";
    paint(ctx, plot.bbox, window.uPlot.pxRatio);
    ctx.restore();
  }

  function shadeMissing(plot, data) {
    if (!unknownUntil(data)) return;
    pen(plot, (ctx, box) => {
      const until = Math.min(plot.valToPos(unknownUntil(data), "x", true), box.left + box.width);
      ctx.fillStyle = colour("warn") + "22";
      ctx.fillRect(box.left, box.top, Math.max(0, until - box.left), box.height);
    });
  }

  function drawLimits(plot, data) {
    pen(plot, (ctx, box, ratio) => {
      const labels = [];
      for (const limit of data.limits) {
        const y = Math.round(plot.valToPos(limit.value, "y", true));
        if (!isShown(data, limit) || y < box.top || y > box.top + box.height) continue;
        ctx.strokeStyle = ctx.fillStyle = colour(limit.raised ? "fire" : "warn");
        ctx.lineWidth = (limit.raised ? 2 : 1) * ratio;
        ctx.setLineDash([7 * ratio, 5 * ratio]);
        line(ctx, box.left, y, box.left + box.width, y);
        label(ctx, box, y, limit.short, labels, ratio);
      }
    });
  }

  // At the left, where the event is not: above its line, below it where there is no room, right of a label
  // that is there already.
  function label(ctx, box, y, text, labels, ratio) {
    const height = rem() * ratio;
    const width = ctx.measureText(text).width;
    const low = y - height < box.top ? y + height + 2 * ratio : y - 2 * ratio;
    let left = box.left + 6 * ratio;
    for (const other of labels) if (Math.abs(other.low - low) < height) left = Math.max(left, other.right + 10 * ratio);
    if (left + width > box.left + box.width) return;
    labels.push({ low, right: left + width });
    const ink = ctx.fillStyle;
    ctx.fillStyle = colour("panel") + "cc";
    ctx.fillRect(left - 2 * ratio, low - height, width + 4 * ratio, height);
    ctx.fillStyle = ink;
    ctx.textAlign = "left";
    ctx.fillText(text, left, low);
  }

  function drawMarks(plot, data) {
    const told = data.marks
      .map((mark) => ({ ...mark, x: plot.valToPos(mark.at, "x", true) }))
      .filter((mark) => mark.x >= plot.bbox.left && mark.x <= plot.bbox.left + plot.bbox.width);
    pen(plot, (ctx, box, ratio) => {
      for (const mark of told) {
        ctx.strokeStyle = colour(mark.kind === "closed" ? "good" : "fire");
        ctx.lineWidth = (mark.kind === "raised" ? 1 : 2) * ratio;
        line(ctx, Math.round(mark.x), box.top - 4 * ratio, Math.round(mark.x), box.top + box.height);
      }
      ctx.fillStyle = colour("text");
      nameMarks(ctx, box, told, ratio);
    });
  }

  // Names above the chart; of marks whose names would meet the first two, and how many more.
  function nameMarks(ctx, box, told, ratio) {
    let rest = told;
    let from = box.left;
    while (rest.length) {
      const near = rest.filter((mark) => mark.x - rest[0].x < 110 * ratio);
      rest = rest.slice(near.length);
      const more = near.length > 2 ? " +" + (near.length - 2) : "";
      const text = near.slice(0, 2).map((mark) => mark.words).join(" · ") + more;
      const width = ctx.measureText(text).width;
      const left = Math.max(from, Math.min(near[0].x, box.left + box.width - width));
      if (left + width > box.left + box.width + 1) return;
      ctx.textAlign = "left";
      ctx.fillText(text, left, box.top - 5 * ratio);
      from = left + width + 8 * ratio;
    }
  }

  function line(ctx, x0, y0, x1, y1) {
    ctx.beginPath();
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
    ctx.stroke();
  }

  drawChart.paragraph = (kind, text) => make("p", kind, text);
  window.drawChart = drawChart;
})();

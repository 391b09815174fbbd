document.querySelectorAll("table.sortable").forEach(function (table) {
  table.querySelectorAll("thead th").forEach(function (head, column) {
    var button = document.createElement("button");
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") === "descending";
      table.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      var key = function (row) {
        var cell = row.cells[column], value = cell.getAttribute("data-v");
        return value === null ? cell.textContent : Number(value);
      };
      var order = function (a, b) { return typeof a === "number" ? a - b : a.localeCompare(b); };
      var rows = Array.from(table.tBodies[0].rows);
      rows.sort(function (a, b) { return (up ? 1 : -1) * order(key(a), key(b)); });
      rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
    });
  });
});

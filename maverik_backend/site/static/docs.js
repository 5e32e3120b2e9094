// A file of its own, so that the page needs no inline script (web/security_headers.py).
"use strict";

const target = document.getElementById("swagger-ui");
window.ui = SwaggerUIBundle({
  url: target.dataset.document,
  domNode: target,
  deepLinking: true,
  // By default the document would be sent to a validator on the internet.
  validatorUrl: null,
});

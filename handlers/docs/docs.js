'use strict';

SwaggerUIBundle({
  url: '/openapi.yaml',
  dom_id: '#reference',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  onComplete() {
    // The page has grown since the browser looked for the anchor.
    if (location.hash.startsWith('#problem-')) {
      document.getElementById(location.hash.slice(1))?.scrollIntoView();
    }
  },
});

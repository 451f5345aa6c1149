document.title = "script v1";

using Microsoft.AspNetCore.Mvc;

namespace Site.Controllers;

public sealed class HomeController : Controller
{
    public IActionResult Index() => View(model: "controller: v1");

    public IActionResult Text() => Content("action: v1");
}

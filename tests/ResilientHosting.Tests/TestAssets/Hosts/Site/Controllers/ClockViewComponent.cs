using Microsoft.AspNetCore.Mvc;

namespace Site.Controllers;

public sealed class ClockViewComponent : ViewComponent
{
    public IViewComponentResult Invoke() => View(model: "view component: v1");
}

using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Site.Pages;

public sealed class TermsModel : PageModel
{
    public string Title { get; private set; } = "";

    public void OnGet() => Title = "page model: v1";
}

using Microsoft.AspNetCore.Razor.TagHelpers;

namespace Site.Controllers;

public sealed class BannerTagHelper : TagHelper
{
    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        output.TagName = "h2";
        output.Content.SetContent("tag helper: v1");
    }
}

using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Hosts;

/// <summary>Views of MVC, whose code is Razor's: what is served is what the view says, however many edits are piled up on it.</summary>
[Collection(nameof(HostApps))]
public sealed class ViewEditTests(HostApps.Built apps)
{
    private const string View = "Views/Home/Index.cshtml";
    private const string Place = "<banner></banner>";

    // Razor makes statements, fields, lambdas and members of these.
    private static readonly (string Old, string New, string Served)[] Edits =
    [
        (Place, $"<p>text</p>{Place}", "<p>text</p>"),
        (Place, $"<a asp-controller=\"Home\" asp-action=\"Index\" title=\"tag helper\">link</a>{Place}", "title=\"tag helper\""),
        (Place, $"@for (var i = 0; i < 3; i++) {{ <b>@i</b> }}\n{Place}", "<b>2</b>"),
        (Place, $"@functions {{ static string Twice(string word) => word + word; }}\n<i>@Twice(\"ab\")</i>{Place}", "<i>abab</i>"),
        ("<h1>", "@{ var first = \"above\"; }\n<u>@first</u>\n<h1>", "<u>above</u>"),
        ("word + word", "word + \"-\" + word", "<i>ab-ab</i>"),
        (Place, $"@{{ Func<dynamic, object> bold = @<em>@item</em>; }}\n@bold(\"template\"){Place}", "<em>template</em>"),
        ("@item", "@item!", "<em>template!</em>"),
        ("<p>text</p>", "", "<em>template!</em>"),
    ];

    [Fact]
    public async Task View_EditUponEdit_IsServedAsItIsWritten()
    {
        await using var app = await ReloadableApp.RunAsync(apps.Site, null, apps.DatabaseArgument);
        foreach (var (old, replacement, served) in Edits)
        {
            await app.ReloadAsync(() => apps.Site.Replace(View, old, replacement));

            Assert.Contains(served, await app.GetAsync("/"), StringComparison.Ordinal);
        }

        Assert.DoesNotContain("<p>text</p>", await app.GetAsync("/"), StringComparison.Ordinal);
    }
}

using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.ReloadLatency;

/// <summary>The SDK's MVC template, with the reloader added to it.</summary>
internal static class MvcSolution
{
    private const string ControllerMark = "shown by the controller";
    private const string ViewMark = "shown by the view";

    public static async Task<Solution> CreateAsync(Workshop workshop)
    {
        var folder = Path.Combine(workshop.CreateFolder("mvc"), "Shop");
        await Workshop.DotnetAsync(Path.GetDirectoryName(folder)!, "new", "mvc", "--output", folder, "--no-restore");
        var controller = Path.Combine(folder, "Controllers", "HomeController.cs");
        var view = Path.Combine(folder, "Views", "Home", "Index.cshtml");
        Replace(Path.Combine(folder, "Shop.csproj"), "</Project>", $"<ItemGroup>{Workshop.Reference}</ItemGroup></Project>");
        Replace(Path.Combine(folder, "Program.cs"), "var app = builder.Build();", """
            builder.Services.AddDevReloader();
            var app = builder.Build();
            app.UseDevReloader();
            """);
        Replace(Path.Combine(folder, "Program.cs"), "app.UseHttpsRedirection();", "");
        Replace(controller, "return View();", $"""ViewData["Mark"] = "{ControllerMark}"; return View();""");
        File.AppendAllText(view, $"""<p>@ViewData["Mark"]</p><p>{ViewMark}</p>""");
        await Workshop.DotnetAsync(folder, "build", "-nologo", "-v:q");
        return new Solution(
            "MVC template", folder, "/",
            [Edit.Replacing("controller", controller, ControllerMark), Edit.Replacing(".cshtml", view, ViewMark)]);
    }

    private static void Replace(string path, string text, string by) =>
        File.WriteAllText(path, File.ReadAllText(path).Replace(text, by, StringComparison.Ordinal));
}

using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Prices;
using Site.Components;
using Site.Data;
using Site.Hubs;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddDevReloader();
builder.Services.AddControllersWithViews();
builder.Services.AddRazorPages();
builder.Services.AddRazorComponents().AddInteractiveServerComponents();
builder.Services.AddSignalR();
builder.Services.AddOpenApi();
builder.Services.AddDbContext<Shop>(options => options.UseSqlite("Data Source=" + builder.Configuration["Database"]));
builder.Services.Configure<PageOptions>(builder.Configuration.GetSection("Page"));

var app = builder.Build();
app.UseDevReloader();
app.UseAntiforgery();
app.MapStaticAssets();
app.MapOpenApi();
app.MapControllerRoute("default", "{controller=Home}/{action=Index}");
app.MapRazorPages();
app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
app.MapHub<Chat>("/chat");
app.MapGet("/options", (IOptionsMonitor<PageOptions> options) => options.CurrentValue.Title);
app.MapGet("/options/next", async (string after, IOptionsMonitor<PageOptions> options) =>
{
    // Answers when the title is another one, however late the change is noticed.
    var changed = new TaskCompletionSource();
    using var registration = options.OnChange((_, _) => changed.TrySetResult());
    if (options.CurrentValue.Title == after)
    {
        await changed.Task;
    }

    return options.CurrentValue.Title;
});
app.MapGet("/secret", (IConfiguration configuration) => configuration["Secret"]);
app.MapGet("/library", () => PriceList.Title());
app.MapArticles();
app.Run();

internal sealed class PageOptions
{
    public string Title { get; set; } = "";
}
